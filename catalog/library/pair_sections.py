"""What other apps show on the library's page of a pair. They register it in their `AppConfig.ready()`."""

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
    """A part of the page: its template, and the variables that the template reads from `section`."""

    template: str
    values: Mapping[str, Any]


#: Each returns a section for the person who asked for the study, or None. By name, so that an app that is made ready
#: twice adds its section once.
pair_sections: "dict[str, Callable[[HttpRequest, WithAnnotations[Study, HasRoles], Pair], PairSection | None]]" = {}


def sections_of(request: HttpRequest, study: "WithAnnotations[Study, HasRoles]", pair: Pair) -> list[PairSection]:
    """Return the sections of a pair's page; `study` comes from `studies.permissions.study_for`."""
    return [section for make in pair_sections.values() if (section := make(request, study, pair))]
