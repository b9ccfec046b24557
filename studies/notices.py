"""Notices of other apps on a study's settings pages. Apps register them in `AppConfig.ready()`."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from studies.models import Study


@dataclass(frozen=True, slots=True)
class Lack:
    """A reason why annotators get no pairs of a study, even if the study runs."""

    words: str | Promise
    #: Text and address of the page where it can be changed. None if the page already links there.
    link: tuple[str | Promise, str] | None = None


#: Functions that return a sentence for all settings pages, or an empty string.
setting_notices: list[Callable[[Study], str]] = []
#: Functions that return what is missing, or None. The page on which people resume the study shows it.
lacks: list[Callable[[Study], Lack | None]] = []


def notices_for(study: Study) -> list[str]:
    """Return the notices that the study's settings pages show at the top."""
    return [said for notice in setting_notices if (said := notice(study))]


def lacks_of(study: Study) -> list[Lack]:
    """Return the reasons why annotators get no pairs of the study."""
    return [lack for check in lacks if (lack := check(study))]
