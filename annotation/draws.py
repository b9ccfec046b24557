"""All random choices about what a person sees, drawn from a seed so that they can be repeated (protocol, rule 3)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from math import ceil
from random import Random
from types import MappingProxyType
from typing import Any

from annotation.models import Assignment, Seat
from annotation.protocol import DIMENSION_BLOCK, DIMENSIONS, HARM_KEYS, SUB_DIMENSION_KEYS, VIDEOS
from studies.models import Study

#: Names that stand for the keys of a study and its people, by the key of the person (`named`).
_names: ContextVar[Mapping[int, str]] = ContextVar("names_in_draws", default=MappingProxyType({}))
#: Share of consistent answers that get a second look. If none did, a second look would reveal a contradiction.
SECOND_LOOK_SHARE = 0.05


def question_order(study: Study, person_id: int) -> list[str]:
    """Return the order of the four sub-dimension questions. It is drawn once for each person."""
    return _generator(study, person_id, "questions").sample(SUB_DIMENSION_KEYS, len(SUB_DIMENSION_KEYS))


def tag_order(study: Study, person_id: int) -> list[str]:
    """Return the order of the twelve harm tags. It is fixed for a person and differs between people."""
    return _generator(study, person_id, "tags").sample(HARM_KEYS, len(HARM_KEYS))


def dimension_first(study: Study, person_id: int, served: int) -> str:
    """Return the dimension that comes first in the person's pair number `served` (from 0)."""
    if study.dimension_order != Study.DimensionOrder.COUNTERBALANCED:
        return study.dimension_order.removesuffix("_first")
    start = _generator(study, person_id, "dimensions").randrange(2)
    return DIMENSIONS[(start + served // DIMENSION_BLOCK) % 2]


def left(study: Study, person_id: int, served: int) -> str:
    """Return the video on the left where balance within pair and person allows both."""
    return _generator(study, person_id, f"left {served}").choice(VIDEOS)


def second_look(study: Study, person_id: int, assignment_id: int) -> bool:
    """Return whether a consistent answer is drawn for a second look (protocol, rule 2)."""
    return _generator(study, person_id, f"second look {assignment_id}").random() < SECOND_LOOK_SHARE


def presentation(study: Study, seat: Seat, assignment: Assignment) -> dict[str, Any]:
    """Return the drawn orders and the settings of this pair, as every revision of the answer records them."""
    return {
        "left": assignment.left,
        "dimension_first": assignment.dimension_first,
        "question_order": seat.question_order,
        "tag_order": seat.tag_order,
        "tag_format": study.tag_format,
    }


def is_control(study: Study, seat: Seat) -> bool:
    """Return whether the next pair of a person should be a control, if one is available.

    Pairs are numbered from 0 in blocks of 1 / `control_rate`. Each block has one control at a place that is drawn, the
    first block has none. The second condition holds if the rate changes meanwhile: in no history of a person is the
    share of controls above the rate.
    """
    if study.control_rate <= 0:
        return False
    length = ceil(1 / study.control_rate)
    block, place = divmod(seat.served, length)
    if block == 0 or seat.controls + 1 > study.control_rate * (seat.served + 1):
        return False
    return place == _generator(study, seat.person_id, f"control {length} {block}").randrange(length)


@contextmanager
def named(names: Mapping[int, str]) -> Iterator[None]:
    """Draw by these names in the block, so that a simulated study draws the same whatever keys its rows have.

    `names` has a name for the key of each person. Of people who are not in it, draws stay as they are.
    """
    before = _names.set(names)
    try:
        yield
    finally:
        _names.reset(before)


def _generator(study: Study, person_id: int, purpose: str) -> Random:
    name = _names.get().get(person_id) or f"{study.pk}/{person_id}"
    return Random(f"{study.seed}/{name}/{purpose}")  # noqa: S311 - balance, not secrecy
