"""Numbers in templates, in the same form as everywhere else."""

from typing import Any

from django import template

from diptych import numbers

register = template.Library()


@register.filter
def grouped(number: Any) -> str:
    """Return a whole number with its digits in groups of three."""
    return numbers.grouped(int(number))
