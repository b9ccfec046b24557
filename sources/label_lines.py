"""Lines of labels in a manifest: what is wrong with a line beyond its fields, and how it becomes a row."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
from django.utils.translation import gettext_noop as _

from catalog.models.labels import CHOICE_QUESTIONS, CHOICES
from diptych.strict_json import Fault
from sources.sentences import Sentence

#: Fields that name what a label is about. `video_0` stands for a pair.
SUBJECTS = ("prompt", "video", "video_0")
MIRRORED = {CHOICES[0]: CHOICES[1], CHOICES[1]: CHOICES[0]}


class LabelRow(NamedTuple):
    """A label as the intake holds it. `one` and `other` are ids of the manifest or of the study.

    The two videos of a pair are in the order of their ids, and a choice is about them in this order. So two lines about
    one pair are found, in whatever order they name its videos. `value` is JSON, or None for a refusal.
    """

    subject: str
    one: str
    other: str | None
    question: str
    labeller: str
    labeller_version: str
    setting: str
    value: bytes | None


def faults_of_label(content: dict[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong with the subject or the value of a label."""
    named = [name for name in SUBJECTS if name in content]
    if not named and "video_1" not in content:
        yield Fault(
            "", Sentence(_("names nothing that the label is about: give prompt, video, or video_0 and video_1"))
        )
    elif len(named) > 1:
        yield Fault(named[1], Sentence(_("is too much: a label is about one prompt, one video or one pair")))
    if content.get("video_0") is not None and content.get("video_0") == content.get("video_1"):
        yield Fault("video_1", Sentence(_("is the same video as video_0")))
    has_value, refused = "value" in content, content.get("refused") is True
    if has_value and refused:
        yield Fault("value", Sentence(_("is given, but the line says that the labeller refused")))
    elif not has_value and not refused:
        yield Fault("value", Sentence(_("is missing; write refused: true if the labeller gave no value")))


def row_of(content: dict[str, Any]) -> LabelRow:
    """Return the row of a checked line."""
    subject = next(name for name in SUBJECTS if name in content)
    one, other, value = content[subject], content.get("video_1"), content.get("value")
    if other is not None and other < one:
        one, other = other, one
        if content["question"].strip() in CHOICE_QUESTIONS:
            value = MIRRORED.get(str(value), value)
    return LabelRow(
        subject="pair" if other is not None else subject,
        one=one,
        other=other,
        question=content["question"].strip(),
        labeller=content["labeller"].strip(),
        labeller_version=content.get("labeller_version", ""),
        setting=content.get("setting", ""),
        value=None if value is None else orjson.dumps(value),
    )
