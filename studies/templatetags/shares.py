"""Shares in percent, and stored figures with their intervals, for pages of quality control."""

import json
from collections.abc import Mapping
from typing import Any

from django import template
from django.utils import formats
from django.utils.translation import gettext_lazy

from studies.durations import percent as in_percent

register = template.Library()


@register.filter
def percent(share: object) -> str:
    """Return a share with one digit after the point, such as “2.4 %”; “–” if there is none."""
    return "–" if share is None else in_percent(round(float(share), 3))  # type: ignore[arg-type]


#: What stands where there is no number (`diptych.statistics.figures.NotDefined`).
WHY_NOT = {
    "all_alike": gettext_lazy("Not defined: all alike"),
    "no_overlap": gettext_lazy("Nothing to compare"),
    "not_enough": gettext_lazy("Not enough"),
}


@register.inclusion_tag("studies/_figure.html")
def figure(found: Mapping[str, Any], kind: str = "number", link: str = "") -> dict[str, Any]:
    """Show a stored figure with its interval, or the words that say why there is none.

    kind: `share` shows percent, `number` two digits after the point. link: the address of the rows behind it.
    """
    interval = found["interval"]
    return {
        "value": in_words(found["value"], kind),
        "is_number": not isinstance(found["value"], str),
        "bounds": [in_words(bound, kind) for bound in interval] if isinstance(interval, list) else None,
        "link": link,
    }


@register.filter
def in_words(value: Any, kind: str = "number") -> str:
    """Return a value of a stored figure in words."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return str(WHY_NOT.get(value, value))
    # The 0.0 takes the sign from a zero: no figure is “-0.00”.
    return in_percent(round(float(value), 3)) if kind == "share" else formats.number_format(round(value, 2) + 0.0, 2)


@register.filter
def as_json(value: Any) -> str:
    """Return a value as JSON, for an attribute that a script reads."""
    return json.dumps(value, ensure_ascii=False)
