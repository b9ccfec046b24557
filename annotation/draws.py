"""Every random choice about what a person sees, drawn by seed so that it can be drawn again (protocol, rule 3)."""

from random import Random
from typing import Any

from annotation.models import Assignment, Seat
from annotation.protocol import DIMENSION_BLOCK, DIMENSIONS, HARM_KEYS, SUB_DIMENSION_KEYS, VIDEOS
from studies.models import Study

#: Of consistent answers, how many are looked at once more, so that a second look does not tell which are not.
SECOND_LOOK_SHARE = 0.05


def question_order(study: Study, person_id: int) -> list[str]:
    """The order of the four sub-dimension questions: drawn once a person."""
    return _generator(study, person_id, "questions").sample(SUB_DIMENSION_KEYS, len(SUB_DIMENSION_KEYS))


def tag_order(study: Study, person_id: int) -> list[str]:
    """The order of the twelve harm tags: fixed a person, varied across people."""
    return _generator(study, person_id, "tags").sample(HARM_KEYS, len(HARM_KEYS))


def dimension_first(study: Study, person_id: int, served: int) -> str:
    """Which dimension comes first in the person's pair number `served` (from 0)."""
    if study.dimension_order != Study.DimensionOrder.COUNTERBALANCED:
        return study.dimension_order.removesuffix("_first")
    start = _generator(study, person_id, "dimensions").randrange(2)
    return DIMENSIONS[(start + served // DIMENSION_BLOCK) % 2]


def left(study: Study, person_id: int, served: int) -> str:
    """Which video is on the left where balance within pair and person leaves it open."""
    return _generator(study, person_id, f"left {served}").choice(VIDEOS)


def second_look(study: Study, person_id: int, assignment_id: int) -> bool:
    """Whether a consistent answer is among those that are looked at once more all the same (protocol, rule 2)."""
    return _generator(study, person_id, f"second look {assignment_id}").random() < SECOND_LOOK_SHARE


def presentation(study: Study, seat: Seat, assignment: Assignment) -> dict[str, Any]:
    """What was drawn and set for this person and pair, as it is recorded with every revision of the answer."""
    return {
        "left": assignment.left,
        "dimension_first": assignment.dimension_first,
        "question_order": seat.question_order,
        "tag_order": seat.tag_order,
        "tag_format": study.tag_format,
    }


def is_control(study: Study, person_id: int, served: int) -> bool:
    """Whether the person's pair number `served` (from 0) is to be a control, where there is one."""
    return study.control_rate > 0 and _generator(study, person_id, f"control {served}").random() < study.control_rate


def _generator(study: Study, person_id: int, purpose: str) -> Random:
    return Random(f"{study.seed}/{study.pk}/{person_id}/{purpose}")  # noqa: S311 - balance, not secrecy
