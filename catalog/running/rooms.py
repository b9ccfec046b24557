"""The rooms of one study, as tabs for who runs it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.models import Study
from catalog.models.studies import HasRoles
from catalog.permissions import (
    ANY_ROLE,
    MAY_BROWSE,
    MAY_CONFIGURE,
    MAY_IMPORT,
    MAY_INVITE,
    MAY_SEE_PROGRESS,
    allows,
)

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


@dataclass(frozen=True, slots=True)
class Room:
    """One tab: what pages call themselves in `here`, its name and its address."""

    key: str
    name: Promise
    address: str


#: Key, name, address, and who may enter. The guideline is edited by some and read by all.
ROOMS: tuple[tuple[str, Promise, str, Collection[str]], ...] = (
    ("progress", _("Progress"), "qc:dashboard", MAY_SEE_PROGRESS),
    ("library", _("Library"), "library:prompts", MAY_BROWSE),
    ("guideline", _("Guideline"), "documents:edit", MAY_CONFIGURE),
    ("guideline", _("Guideline"), "documents:guideline", ANY_ROLE - MAY_CONFIGURE),
    ("imports", _("Imports"), "importing:imports", MAY_IMPORT),
    ("people", _("People"), "running:people", MAY_INVITE),
    ("batches", _("Batches"), "running:batches", MAY_CONFIGURE),
    ("settings", _("Settings"), "running:state", MAY_CONFIGURE),
)


def rooms_of(study: "WithAnnotations[Study, HasRoles]") -> list[Room]:
    """The rooms that the asking person may enter, each once; `study` as `permissions.study_for` gives it."""
    found: dict[str, Room] = {}
    for key, name, page, roles in ROOMS:
        if key in found or not allows(study, roles):
            continue
        try:
            found[key] = Room(key, name, reverse(page, args=[study.slug]))
        except NoReverseMatch:
            continue
    return list(found.values())
