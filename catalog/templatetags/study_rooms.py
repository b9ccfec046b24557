"""Which tabs `catalog/_study_nav.html` shows."""

from typing import TYPE_CHECKING

from django import template

from catalog.models import Study
from catalog.models.studies import HasRoles
from catalog.running.rooms import Room, rooms_of

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

register = template.Library()


@register.simple_tag
def study_rooms(study: "WithAnnotations[Study, HasRoles]") -> list[Room]:
    """The study's rooms for the person who asked for it."""
    return rooms_of(study)
