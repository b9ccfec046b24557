"""Shares in percent, for pages of quality control."""

from django import template

from studies.durations import percent as in_percent

register = template.Library()


@register.filter
def percent(share: object) -> str:
    """Return a share with one digit after the point, such as “2.4 %”; “–” if there is none."""
    return "–" if share is None else in_percent(round(float(share), 3))  # type: ignore[arg-type]
