"""What higher apps show on a person's home page: what they must see to, and a line about their work in each study."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise

from accounts.models import User
from studies.models import Study


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that is asked of a person, whatever studies they are in."""

    title: str | Promise
    words: str | Promise
    #: Words and address of the page where it is done.
    button: str | Promise
    address: str


#: Each returns the duty of the request's person, if they have it.
duties: list[Callable[[HttpRequest], Duty | None]] = []


#: By the name of the app: a line about a person's own work for each of the studies that it knows. The home page shows
#: it with the study.
own_lines: dict[str, Callable[[User, Collection[Study]], Mapping[int, str]]] = {}


def own_lines_of(person: User, studies: Collection[Study]) -> dict[int, list[str]]:
    """Return the lines about the person's own work, by study."""
    found: dict[int, list[str]] = {}
    for lines in own_lines.values():
        for study, line in lines(person, studies).items():
            found.setdefault(study, []).append(line)
    return found


def duties_of(request: HttpRequest) -> list[Duty]:
    """Return what is asked of the request's person."""
    return [duty for rule in duties if (duty := rule(request))]
