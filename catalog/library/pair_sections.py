"""Sections that other apps add to the library's page of a pair. They register them in `AppConfig.ready()`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from catalog.models import Pair
from studies.models import Study
from studies.models.studies import HasRoles

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


@dataclass(frozen=True, slots=True)
class PairSection:
    """A section of the page: its template, and the variables that the template reads from `section`."""

    template: str
    values: Mapping[str, Any]


#: Functions that return a section for the person of the request, or None. They have names, so that an app whose
#: `ready()` runs twice adds its section only once.
pair_sections: "dict[str, Callable[[HttpRequest, WithAnnotations[Study, HasRoles], Pair], PairSection | None]]" = {}


def sections_of(request: HttpRequest, study: "WithAnnotations[Study, HasRoles]", pair: Pair) -> list[PairSection]:
    """Return the sections of a pair's page; `study` comes from `studies.permissions.study_for`."""
    return [section for make in pair_sections.values() if (section := make(request, study, pair))]
