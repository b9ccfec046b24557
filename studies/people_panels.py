"""What higher apps say above the list of a study's people: who needs a decision. They add functions in `ready()`."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils.functional import Promise

from studies.models import Study


@dataclass(frozen=True, slots=True)
class Panel:
    """A sentence, and the people that it is about: each a name and the address of a page about them."""

    words: str | Promise
    links: list[tuple[str, str]] = field(default_factory=list)


#: Functions that return a panel about a study, or None.
people_panels: list[Callable[[Study], Panel | None]] = []


def panels_of(study: Study) -> list[Panel]:
    """Return what is said above the list of the study's people."""
    return [panel for make in people_panels if (panel := make(study))]
