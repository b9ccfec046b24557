"""Lists of words inside sentences, with the comma of the reader's language."""

from collections.abc import Iterable

from django.utils.translation import pgettext


def listed(words: Iterable[object]) -> str:
    """Join words with commas. Chinese has a comma of its own for lists."""
    return pgettext("between the items of a list", ", ").join(map(str, words))
