"""Sentences in templates. `tests/test_translations.py` finds templates that write a plain space between two of them."""

from collections.abc import Iterable
from typing import Any

from django import template

from diptych import sentences

register = template.Library()


@register.simple_tag(name="space")
def space() -> str:
    """Return the space between two sentences, which is empty in Chinese."""
    return sentences.space()


@register.filter
def joined(texts: Iterable[Any]) -> str:
    """Return these sentences as one text."""
    return sentences.joined(texts)
