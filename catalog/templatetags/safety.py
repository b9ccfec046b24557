"""What every page says about reports of illegal material: to safety officers, and where there are none."""

from typing import Any

from django import template
from django.db import DatabaseError

from catalog.calling_officers import Duty, duty_of
from catalog.officers import installation_has_officer

register = template.Library()


@register.simple_tag(takes_context=True)
def safety_duty(context: dict[str, Any]) -> Duty:
    """Return whether the person is a safety officer, and how many reports wait for them."""
    request = context.get("request")
    if request is None or not hasattr(request, "user"):
        return Duty(False, 0)
    try:
        return duty_of(request)
    except DatabaseError:  # the page that says so is rendered without the database
        return Duty(False, 0)


@register.simple_tag
def has_installation_officer() -> bool:
    """Return whether somebody may decide about every report."""
    return installation_has_officer()
