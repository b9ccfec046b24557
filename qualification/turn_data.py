"""A turn for the page and the API: the pair as annotators see it, and in a training what was expected on it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from annotation import unleased
from annotation.models import Seat
from annotation.models.own_answers import TAGS
from annotation.responses import assignment_json
from answers.row_words import in_words, question_of
from answers.words import labels
from qualification import judging
from qualification.attempts import Step
from qualification.models import ExpectedAnswer, Turn, TurnAnswer
from qualification.models.sets import Kind


def step_json(step: Step) -> dict[str, Any]:
    """Return `{"current", "reason", "retry_after_s", "left"}`."""
    return {
        "current": turn_json(step.turn, step.seat) if step.turn else None,
        "reason": step.reason,
        "retry_after_s": step.retry_after_s,
        "left": step.left,
    }


def turn_json(turn: Turn, seat: Seat) -> dict[str, Any]:
    """Return one turn as the page shows it. `feedback` is null until the person of a training has answered."""
    study = turn.study
    pair = unleased.playable(study).get(pk=turn.item.pair_id)
    about = unleased.assignment_data(pair, study, seat.person)
    ends = timezone.now() + timedelta(seconds=study.lease_s)
    about = replace(about, id=turn.pk, left=turn.left, expires_at=ends)
    return assignment_json(about, seat, study) | {
        "kind": turn.attempt.kind,
        "done": turn.attempt.turns.filter(seen_at__isnull=False).count(),
        "feedback": feedback_json(turn),
    }


def feedback_json(turn: Turn) -> list[dict[str, Any]] | None:
    """Return what was expected, beside what the person answered. None in a test, and before they have answered."""
    answer = TurnAnswer.objects.filter(turn=turn).first() if turn.attempt.kind == Kind.TRAINING else None
    if answer is None:
        return None
    return [
        {
            "row": one.row,
            "question": question_of(one.row, turn.left),
            "answer": in_words(sorted(one.value) if one.row in TAGS else one.value, turn.left),
            "expected": expected_in_words(one.expected, turn.left),
            "right": one.is_right,
            "explanation": one.expected.explanation,
        }
        for one in judging.judged(answer, turn.item.expected.all(), turn.left)
    ]


def expected_in_words(expected: ExpectedAnswer, left: str) -> str:
    """Return what is expected on a row in words, with the sides as the person sees them."""
    if expected.row not in TAGS:
        words = [in_words(value, left) for value in sorted(expected.accepted, key=lambda value: value != left)]
        return _(" or ").join(words)
    tags = in_words(sorted(expected.accepted), left)
    if not expected.optional:
        return tags
    return _("%(tags)s (also possible: %(more)s)") % {"tags": tags, "more": " · ".join(labels(expected.optional))}
