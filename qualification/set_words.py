"""The pairs of a version in words: what is expected on each, by video number, as those who write it see it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from annotation.models.own_answers import ROWS, TAGS
from answers.words import QUESTIONS, labels, number_of
from qualification import standing
from qualification.models import ExpectedAnswer, PairSet, SetItem


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    """One expected answer in words."""

    question: str
    value: str
    explanation: str


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One pair of a version. `is_shown`: it can still be shown."""

    item: SetItem
    is_shown: bool
    expected: list[ExpectedLine]


def question_in_words(row: str) -> str:
    """Return the short name of a row, with the number of the video for tags."""
    return _("Tags of video %(n)s") % {"n": row[-1]} if row in TAGS else str(QUESTIONS[row])


def value_in_words(row: str, value: object) -> str:
    """Return an answer on a row by video number, or its tags."""
    if isinstance(value, list | tuple):
        return " · ".join(labels(list(value))) or _("None of these")
    return number_of(str(value)) if value == "tie" else _("video %(n)s") % {"n": number_of(str(value))}


def expected_in_words(expected: ExpectedAnswer) -> str:
    """Return what is expected on a row, by video number."""
    if expected.row not in TAGS:
        return _(" or ").join(value_in_words(expected.row, value) for value in expected.accepted)
    tags = value_in_words(expected.row, expected.accepted)
    if not expected.optional:
        return tags
    return _("%(tags)s (also possible: %(more)s)") % {"tags": tags, "more": " · ".join(labels(expected.optional))}


def rows_of(of: PairSet) -> list[ItemRow]:
    """Return the pairs of a version in their order, with what is expected on each."""
    shown = {item.pk for item in standing.items_for(of, None)}
    items = SetItem.objects.filter(set=of).select_related("pair__prompt").prefetch_related("expected").order_by("place")
    return [
        ItemRow(
            item,
            item.pk in shown,
            [
                ExpectedLine(question_in_words(one.row), expected_in_words(one), one.explanation)
                for one in sorted(item.expected.all(), key=lambda one: ROWS.index(one.row))
            ],
        )
        for item in items
    ]
