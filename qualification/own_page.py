"""What the page of a person who qualifies says: how long it takes, and their last result by question."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from answers.words import QUESTIONS
from qualification import results
from qualification.models import Attempt
from qualification.standing import Standing
from studies.durations import percent
from studies.models import Study

#: Minutes that one pair takes about: the videos are watched twice, eight questions are answered, and in a training the
#: explanations are read.
MINUTES_A_PAIR = {"training": 3.0, "test": 2.0}


def minutes(study: Study, standing: Standing) -> int:
    """Return about how many minutes the rest of the training and the test take, in steps of five."""
    left = dict(standing.pairs)
    if standing.trained:
        left.pop("training", None)
    total = sum(MINUTES_A_PAIR[kind] * number for kind, number in left.items())
    return max(5, 5 * round(total / 5))


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """How many answers to one question were as expected."""

    question: str
    judged: int
    right: int

    @property
    def is_whole(self) -> bool:
        return self.right == self.judged


@dataclass(frozen=True, slots=True)
class OwnResult:
    """The result of an attempt, for its person. It never says which answer was expected on which pair."""

    attempt: Attempt
    share: str
    mark: str
    questions: list[QuestionResult]


def result(attempt: Attempt | None) -> OwnResult | None:
    """Return the result of a finished attempt at a test, or None."""
    if attempt is None:
        return None
    names: dict[str, Any] = {**QUESTIONS, "tags": _("Harm tags")}
    rows = sorted(results.by_question(attempt), key=lambda row: list(names).index(row.row))
    return OwnResult(
        attempt,
        percent(round(attempt.share, 3)) if attempt.share is not None else "",
        percent(attempt.pass_share or 0.0),
        [QuestionResult(str(names[row.row]), row.judged, row.right) for row in rows],
    )
