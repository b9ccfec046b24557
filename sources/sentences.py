"""Sentences that an import stores, and that each reader gets in their own language.

A sentence consists of a template and the values in it. In memory it is a `str` that can be printed and logged. It is
stored as its English template (the key for translation) and its values. Pages, API responses and tables make the text
again from these.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, gettext_noop

from diptych import strict_json

MESSAGE, VALUES = "message", "values"
FULL_STOP = gettext_noop("%(reason)s.")


class Sentence(str):
    """A sentence as text, with what is needed to word it in another language.

    `str()` of a sentence, and of an exception that was raised with one, is the sentence itself. Formatting it into
    another text loses the template, so give it to the other sentence as a value.

    Attributes:
        template: the English text with `%(name)s` for each value. Mark it with `gettext_noop`.
        values: the values by name: numbers, text that is never translated, and other sentences.
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, **values: Any) -> "Sentence":
        """Make a sentence. An exception among the values is replaced by its text."""
        plain = {name: str(value) if isinstance(value, Exception) else value for name, value in values.items()}
        sentence = super().__new__(cls, _filled(template, plain))
        sentence.template, sentence.values = template, plain
        return sentence

    def __str__(self) -> str:
        """Return the sentence itself, so that `str()` of an exception keeps the template."""
        return self

    def with_values(self, **values: Any) -> "Sentence":
        """Return the same sentence with some other values."""
        return Sentence(self.template, **self.values | values)


def readable(text: str) -> str:
    """Return the text or sentence with a mark in place of characters that reports or the database cannot store."""
    if isinstance(text, Sentence):
        values = {name: readable(value) for name, value in text.values.items() if isinstance(value, str)}
        return text.with_values(**values)
    return strict_json.readable(text)


def with_full_stop(reason: str | Exception) -> Sentence:
    """Return a reason as a whole sentence."""
    return Sentence(FULL_STOP, reason=readable(str(reason)))


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """Return the template in the language of the reader, with its values."""
    text = gettext(template) if template else ""
    return text % values if values else text


def stored(text: str) -> Any:
    """Return a sentence as JSON: an object with its template and values. Plain text stays text."""
    if not isinstance(text, Sentence):
        return text
    return {MESSAGE: text.template, VALUES: {name: stored(value) for name, value in text.values.items()}}


def worded(kept: Any) -> str:
    """Return what `stored` returned as text in the language of the reader."""
    if not isinstance(kept, Mapping):
        return gettext(str(kept)) if kept else ""
    values = kept.get(VALUES, {}).items()
    return _filled(kept[MESSAGE], {name: worded(one) if isinstance(one, Mapping) else one for name, one in values})
