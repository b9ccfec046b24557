"""Controls for tests: pairs on which people agree, answers from long ago, and results."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from annotation import draws
from annotation.models import Assignment, Seat
from catalog.models import Pair
from controls import making
from controls.models import Control, ControlResult
from controls.writing import NewControl, write
from findings.tasks import check_new_answers
from tests import factories
from tests.findings.finding import harmless, helpful


def agreed(study: Any, people: Any, count: int = 1, **said: Any) -> list[Pair]:
    """Return pairs to which all these people gave the same answer."""
    pairs = factories.pairs(study, count, wanted=len(people))
    for person in people:
        for _ in pairs:
            factories.answer(person, study, **{**helpful("video_0"), **harmless("video_1"), **said})
    return pairs


def make(study: Any, kind: str, number: int = 1) -> list[Control]:
    """Make controls as the page does, and return them."""
    job = making.make(study, kind, number, actor=factories.member(study, "researcher"))
    assert job.state == "done", job.reason
    return list(Control.objects.filter(study=study, kind=kind).order_by("pk"))


def control_of(study: Any, pair: Pair, kind: str = "consensus_repeat", **values: Any) -> Control:
    """Return a control of this kind that shows the pair again."""
    facts = {"expected": {"answer": "video_0"}, "question": "helpfulness", "repeats": pair.pk} | values
    new = NewControl(kind, pair.prompt_id, (pair.video_0_id, pair.video_1_id), **facts)
    return write(study, [new], actor=factories.member(study, "researcher"))[0]


def due(person: Any, study: Any) -> None:
    """Let the next pair of the person be a control, within the rate: as after 40 pairs without one."""
    study.control_rate = 0.05
    study.save(update_fields=["control_rate"])
    Seat.objects.filter(study=study, person=person).update(served=place_of_control(person, study), controls=0)


def place_of_control(person: Any, study: Any) -> int:
    """Return the number of a pair at which a control is due for the person."""
    seat = Seat.objects.get(study=study, person=person)
    return next(n for n in range(40, 60) if draws.is_control(study, with_served(seat, n)))


def with_served(seat: Seat, served: int) -> Seat:
    seat.served, seat.controls = served, 0
    return seat


def checked() -> list[ControlResult]:
    """Run the periodic check of new answers, and return all results."""
    check_new_answers()
    return list(ControlResult.objects.order_by("assignment"))


def long_ago(person: Any, study: Any, days: float = 2) -> None:
    """Move all answers of a person back in time."""
    moved = timedelta(days=days)
    for one in Assignment.objects.filter(study=study, person=person, state="submitted"):
        Assignment.objects.filter(pk=one.pk).update(leased_at=one.leased_at - moved, ended_at=one.ended_at - moved)


def results(control: Control, person: Any, right: list[bool], *, later_s: int = 0) -> None:
    """Write results of one person, as if there were as many controls: one a second, from `later_s` seconds on."""
    pairs = [factories.pair(control.study, kind="control", expected={}, batch=control.pair.batch) for _ in right]
    now = timezone.now() + timedelta(seconds=later_s)
    given = Assignment.objects.bulk_create(
        Assignment(
            study=control.study,
            person=person,
            pair=pair,
            left="video_0",
            dimension_first="helpfulness",
            state="submitted",
            ended_at=now + timedelta(seconds=place),
            expires_at=now + timedelta(hours=1),
            protocol_version=1,
            guideline_version=1,
        )
        for place, pair in enumerate(pairs)
    )
    ControlResult.objects.bulk_create(
        ControlResult(
            assignment=one,
            study=control.study,
            control=control,
            person=person,
            kind=control.kind,
            right=was_right,
            answered_at=one.ended_at,
        )
        for one, was_right in zip(given, right, strict=True)
    )
