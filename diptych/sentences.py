"""Sentences one after the other, in every language: with a space between them, and without one in Chinese."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import get_language


def space() -> str:
    """Return what stands between two sentences. In Chinese, marks such as 。 and ： bring their own space."""
    return "" if (get_language() or "").startswith("zh") else " "


def joined(sentences: Iterable[Any]) -> str:
    """Return the sentences as one text."""
    return space().join(map(str, sentences))
