"""The rows of an answer in words, by side, for people who judge a pair: questions, choices and tags."""

from typing import Any

from django.utils.translation import gettext as _

from annotation.models.own_answers import ROWS, TAGS
from annotation.protocol import TIE
from answers.words import QUESTIONS, labels


def ordered(left: str) -> list[str]:
    """Return the rows in the order of the page: the tags of the left video come before those of the right one."""
    tags = sorted(TAGS, key=lambda row: row != f"tags_{left}")
    return [row for row in ROWS if row not in (*TAGS, "harmlessness")] + [*tags, "harmlessness"]


def question_of(row: str, left: str) -> str:
    """Return the short name of a row, with the side of the video for tags."""
    if row not in TAGS:
        return str(QUESTIONS[row])
    return _("Tags, left video") if row == f"tags_{left}" else _("Tags, right video")


def in_words(value: Any, left: str) -> str:
    """Return an answer on a row in words: a side, or the tags."""
    if isinstance(value, list):
        return " · ".join(labels(value)) or _("None of these")
    if value == TIE:
        return _("Tie")
    return _("Left") if value == left else _("Right")
