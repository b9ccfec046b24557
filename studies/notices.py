"""What other apps say on the pages of a study's settings. They register it in their `AppConfig.ready()`."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from studies.models import Study


@dataclass(frozen=True, slots=True)
class Lack:
    """What keeps annotators from being given pairs of a study, though the study may run."""

    words: str | Promise
    #: Where it can be changed: words and address. None where the page links there anyway.
    link: tuple[str | Promise, str] | None = None


#: Each returns a sentence for every page of the settings, or nothing.
setting_notices: list[Callable[[Study], str]] = []
#: Each returns what is missing, or None. Shown where somebody resumes the study.
lacks: list[Callable[[Study], Lack | None]] = []


def notices_for(study: Study) -> list[str]:
    """Return what the pages of the study's settings say above everything else."""
    return [said for notice in setting_notices if (said := notice(study))]


def lacks_of(study: Study) -> list[Lack]:
    """Return what keeps annotators from being given the study's pairs."""
    return [lack for check in lacks if (lack := check(study))]
