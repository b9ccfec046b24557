"""What a person must see to on their home page, apart from their studies. Higher apps register it."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise


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


def duties_of(request: HttpRequest) -> list[Duty]:
    """Return what is asked of the request's person."""
    return [duty for rule in duties if (duty := rule(request))]
