"""Links from the pages of a study to pages of other apps.

Pages of lower apps must not know the addresses of higher apps. So each app registers its links for a `Place` in
`AppConfig.ready()`, and the page with that place shows all of them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.functional import Promise

from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import allows

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class Place(Enum):
    """Where links are shown."""

    #: The tabs of a study, for the people who run it.
    TABS = auto()
    #: Beside the study on the home page. A person with only one study and one role is redirected to the `first_page`.
    HOME = auto()
    #: Lists beside the prompts, videos and pairs of the library.
    LIBRARY = auto()
    #: The menu of a study's settings, after the groups of settings.
    SETTINGS = auto()
    #: On the page where the people who run a study can try what its annotators see.
    TRIAL = auto()
    #: On pages that are empty because nothing was imported.
    ADD_MATERIAL = auto()
    #: Downloads on the progress page.
    DOWNLOADS = auto()
    #: Beside the list of a study's people.
    PEOPLE = auto()
    #: On the page of one person of a study. The address has the study and the person.
    PERSON = auto()
    #: Above pages about the people of a study: the link back to the progress page.
    OVERVIEW = auto()


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a page of a study, by its name in the URL configuration, with the roles that may open it."""

    key: str
    name: Promise
    page: str
    roles: Collection[str]
    #: Links are sorted by this number.
    order: int
    #: On the home page: people who have only `roles` are redirected to it.
    first_page: bool = False
    #: The style of its button: empty, `quiet` or `primary`.
    look: str = ""
    #: Whether it is left out in a closed study.
    while_open: bool = False
    #: The address of the only study that has the link. Empty: all studies have it.
    only_in: str = ""
    #: Of tabs: the key of the tab to which this one belongs. It is shown below the tabs while that one is open.
    within: str = ""


@dataclass(frozen=True, slots=True)
class StudyLink:
    """A link to a page of one study."""

    link: Link
    address: str

    @property
    def key(self) -> str:
        return self.link.key

    @property
    def name(self) -> Promise:
        return self.link.name

    @property
    def look(self) -> str:
        return self.link.look


_LINKS: dict[Place, list[Link]] = {place: [] for place in Place}


def register(place: Place, *links: Link) -> None:
    """Register links for a place."""
    _LINKS[place] = sorted([*_LINKS[place], *links], key=lambda link: (link.order, link.page))


def links_at(place: Place, study: "WithAnnotations[Study, HasRoles]", *about: int) -> list[StudyLink]:
    """Return the links that the person may open, one for each key. `study` comes from `permissions.study_for`.

    `about`: further arguments of the addresses at this place.
    """
    found: dict[str, StudyLink] = {}
    for link in _LINKS[place]:
        if (link.while_open and study.state == Study.State.CLOSED) or link.only_in not in ("", study.slug):
            continue
        if link.key not in found and allows(study, link.roles):
            found[link.key] = StudyLink(link, reverse(link.page, args=[study.slug, *about]))
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Tabs:
    """The tabs of a study, and those below the open one. `open_tab` is the key of the open one of `tabs`."""

    tabs: list[StudyLink]
    below: list[StudyLink]
    open_tab: str


def tabs_of(study: "WithAnnotations[Study, HasRoles]", here: str) -> Tabs:
    """Return the tabs that the person may open. `here` is the key of the open page, in either row.

    A tab whose own tab the person may not open is shown among the first.
    """
    links = links_at(Place.TABS, study)
    tabs = {one.key: one for one in links if not one.link.within}
    parts = [one for one in links if one.link.within in tabs]
    tabs |= {one.key: one for one in links if one.key not in tabs and one not in parts}
    open_tab = next((one.link.within for one in parts if one.key == here), here)
    below = [one for one in parts if one.link.within == open_tab]
    in_order = [one for one in links if one.key in tabs]
    return Tabs(in_order, [tabs[open_tab], *below] if below else [], open_tab)


def first_page(study: "WithAnnotations[Study, HasRoles]") -> StudyLink | None:
    """Return the page to redirect a person with only this study to: a page that is meant for all their roles in it."""
    held = set(study.roles)
    return next(
        (one for one in links_at(Place.HOME, study) if one.link.first_page and held <= set(one.link.roles)), None
    )
