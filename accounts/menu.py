"""Links in the account menu to pages of other apps. They register them in their `AppConfig.ready()`."""

from collections.abc import Callable
from typing import NamedTuple

from django.http import HttpRequest
from django.utils.functional import Promise


class MenuLink(NamedTuple):
    """A link in the account menu."""

    name: str | Promise
    address: str


#: Each returns what the menu offers to the signed-in person of the request.
links: list[Callable[[HttpRequest], list[MenuLink]]] = []


def links_for(request: HttpRequest) -> list[MenuLink]:
    """Return what other apps offer in the menu, in the order in which they registered."""
    return [link for offered in links for link in offered(request)]
