"""Links from the pages of a study to pages of other apps.

Pages of lower apps must not know the addresses of higher ones. So each app registers in its `AppConfig.ready()` what
it offers at a `Place`, and the page that has the place asks for all of them.
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
    """Where links stand."""

    #: The tabs of a study, for whoever runs it.
    TABS = auto()
    #: Beside the study on the home page. Who has one study and one role there is led to the last that is `first_page`.
    HOME = auto()
    #: Lists beside the prompts, videos and pairs of the library.
    LIBRARY = auto()
    #: The menu of a study's settings, after the groups of settings.
    SETTINGS = auto()
    #: Where whoever runs a study can try what its annotators see.
    TRIAL = auto()
    #: Where a page is empty because nothing was imported.
    ADD_MATERIAL = auto()
    #: What can be downloaded from the page on how the study is getting on.
    DOWNLOADS = auto()
    #: Beside the list of a study's people.
    PEOPLE = auto()
    #: On the page of one of a study's people. The address has the study and the person.
    PERSON = auto()
    #: Above pages about the people of a study: the way back to how the study is getting on.
    OVERVIEW = auto()


@dataclass(frozen=True, slots=True)
class Link:
    """A page of a study, by its name in the URL configuration, and who may open it."""

    key: str
    name: Promise
    page: str
    roles: Collection[str]
    #: Links stand in this order.
    order: int
    #: On the home page: people with no other role than `roles` are led straight to it.
    first_page: bool = False
    #: How a button of it looks: empty, `quiet` or `primary`.
    look: str = ""


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
    """Offer links at a place."""
    _LINKS[place] = sorted([*_LINKS[place], *links], key=lambda link: (link.order, link.page))


def links_at(place: Place, study: "WithAnnotations[Study, HasRoles]", *about: int) -> list[StudyLink]:
    """Return the links that the asking person may open, one of each key; `study` comes from `permissions.study_for`.

    `about`: what else the addresses at this place name.
    """
    found: dict[str, StudyLink] = {}
    for link in _LINKS[place]:
        if link.key not in found and allows(study, link.roles):
            found[link.key] = StudyLink(link, reverse(link.page, args=[study.slug, *about]))
    return list(found.values())


def first_page(study: "WithAnnotations[Study, HasRoles]") -> StudyLink | None:
    """Return where to lead somebody who has only this study: a page that all their roles in it are there for."""
    held = set(study.roles)
    return next(
        (one for one in links_at(Place.HOME, study) if one.link.first_page and held <= set(one.link.roles)), None
    )
