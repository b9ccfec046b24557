"""What was made from a release. Higher apps add to the list in `AppConfig.ready()`, such as model versions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from releases.models import Release


@dataclass(frozen=True, slots=True)
class Use:
    """One thing that was made from a release: its name in the reader's language, and the address of its page."""

    name: str
    address: str


#: Functions that return what was made from a release, by the name of what they find.
uses: dict[str, Callable[[Release], Iterable[Use]]] = {}


def uses_of(release: Release) -> list[Use]:
    """Return everything that was made from the release."""
    return [use for find in uses.values() for use in find(release)]
