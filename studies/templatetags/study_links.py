"""Links from pages of a study to pages of other apps."""

from typing import TYPE_CHECKING

from django import template

from studies.links import Place, StudyLink, Tabs, links_at, tabs_of
from studies.models import Study
from studies.models.studies import HasRoles
from studies.notices import notices_for

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

register = template.Library()


@register.simple_tag
def study_links(place: str, study: "WithAnnotations[Study, HasRoles]", *about: int) -> list[StudyLink]:
    """Return the links at the place, such as "tabs", that the person of the study may open."""
    return links_at(Place[place.upper()], study, *about)


@register.simple_tag
def study_link(place: str, key: str, study: "WithAnnotations[Study, HasRoles]") -> StudyLink | None:
    """Return the link with this key at the place, or None if the person of the study may not open it."""
    return next((link for link in links_at(Place[place.upper()], study) if link.key == key), None)


@register.simple_tag
def study_tabs(study: "WithAnnotations[Study, HasRoles]", here: str) -> Tabs:
    """Return the tabs of the study that the person may open. `here` is the key of the open one."""
    return tabs_of(study, here)


@register.simple_tag
def setting_notices(study: Study) -> list[str]:
    """Return the notices of other apps above the study's settings."""
    return notices_for(study)
