"""When is an answer as expected, and what does that make of an attempt?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.models.own_answers import TAGS
from answers.row_words import ordered
from qualification.models import Attempt, ExpectedAnswer, TurnAnswer
from qualification.models.attempts import ROUNDING
from qualification.models.sets import Kind
from qualification.sets import FEWEST_OF_TEST


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer on one row, beside what was expected."""

    expected: ExpectedAnswer
    value: Any

    @property
    def row(self) -> str:
        return self.expected.row

    @property
    def is_right(self) -> bool:
        return is_right(self.expected, self.value)


@dataclass(frozen=True, slots=True)
class Result:
    """The result of an attempt. `answered` counts pairs, `judged` and `right` count answers on single rows.

    `passed` is None if fewer than `FEWEST_OF_TEST` pairs were answered, and for a training.
    """

    answered: int
    judged: int
    right: int
    passed: bool | None


def is_right(expected: ExpectedAnswer, value: Any) -> bool:
    """Return whether an answer on a row is as expected.

    Of tags, all expected ones are chosen, and no other one that is not optional.
    """
    if expected.row in TAGS:
        given = set(value)
        return set(expected.accepted) <= given <= {*expected.accepted, *expected.optional}
    return value in expected.accepted


def judged(answer: TurnAnswer, expected: Iterable[ExpectedAnswer], left: str) -> list[Judged]:
    """Return the judged rows of one answer, in the order of the page."""
    places = {row: place for place, row in enumerate(ordered(left))}
    return [Judged(one, getattr(answer, one.row)) for one in sorted(expected, key=lambda one: places[one.row])]


def judged_of(attempts: Sequence[Attempt]) -> list[tuple[TurnAnswer, list[Judged]]]:
    """Return every answer of these attempts with its judged rows, in the order in which they were given."""
    answers = (
        TurnAnswer.objects.filter(turn__attempt__in=attempts)
        .select_related("turn__item__pair", "turn__attempt__person", "turn__attempt__set")
        .prefetch_related("turn__item__expected")
        .order_by("submitted_at", "pk")
    )
    return [(one, judged(one, one.turn.item.expected.all(), one.turn.left)) for one in answers]


def result_of(attempt: Attempt) -> Result:
    """Return the result of an attempt, computed from its answers."""
    answers = judged_of([attempt])
    rows = [row for _answer, found in answers for row in found]
    right = sum(row.is_right for row in rows)
    passed = None
    if attempt.kind == Kind.TEST and len(answers) >= FEWEST_OF_TEST:
        passed = right >= (attempt.pass_share or 0.0) * len(rows) - ROUNDING
    return Result(len(answers), len(rows), right, passed)
