"""A template tag with the number of waiting reports, for safety officers on every page."""

from typing import Any

from django import template
from django.db import DatabaseError

from safety.officer_notices import Duty, duty_of

register = template.Library()


@register.simple_tag(takes_context=True)
def safety_duty(context: dict[str, Any]) -> Duty:
    """Return whether the person is a safety officer, and how many reports wait for them."""
    request = context.get("request")
    if request is None or not hasattr(request, "user"):
        return Duty(False, 0)
    try:
        return duty_of(request)
    except DatabaseError:  # the error page must work without the database
        return Duty(False, 0)
