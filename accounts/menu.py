"""Links in the account menu to pages of other apps. Apps register them in `AppConfig.ready()`."""

from collections.abc import Callable
from typing import NamedTuple

from django.http import HttpRequest
from django.utils.functional import Promise


class MenuLink(NamedTuple):
    """A link in the account menu."""

    name: str | Promise
    address: str


#: Functions that return menu links for the signed-in person of the request.
links: list[Callable[[HttpRequest], list[MenuLink]]] = []


def links_for(request: HttpRequest) -> list[MenuLink]:
    """Return the menu links of all apps, in the order of registration."""
    return [link for offered in links for link in offered(request)]
