"""Random histories: nothing is counted twice, exposure is what was revealed, and results can be computed again."""

import random
from contextlib import suppress
from uuid import uuid4

import pytest
from django.db.models import Sum
from django.utils import timezone

from annotation.models import Assignment, Dose, Seat
from catalog.models import Pair
from diptych.refusals import Refused
from qualification import attempts, deciding, judging, standing
from qualification.models import Attempt, ExtraAttempt, Qualification, QualificationExposure, Turn, TurnAnswer
from studies.models import Study
from tests import factories
from tests.qualification import world

pytestmark = pytest.mark.django_db


class History:
    """One study, and steps of its people that are drawn at random. Every step may be refused."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.study = factories.study(qualification_wait_s=0, qualification_attempts=2)
        self.admin = factories.member(self.study, "admin")
        world.asks_for_qualification(self.study, self.admin)
        sensitive = self.draw.sample(list(Pair.objects.filter(study=self.study)), 3)
        Pair.objects.filter(pk__in=[pair.pk for pair in sensitive]).update(may_show=["violence"], lane=1)
        self.study = Study.objects.get(pk=self.study.pk)
        self.people = [factories.member(self.study, "annotator") for _ in range(2)]
        #: The answers that were accepted, by turn: each may be stored once.
        self.accepted: dict[int, int] = {}
        #: The highest seconds that were reported of each sitting.
        self.revealed: dict[object, float] = {}

    def step(self) -> None:
        person = self.draw.choice(self.people)
        act = self.draw.choice([self.answer] * 6 + [self.skip, self.again, self.waive, self.take_back, self.allow])
        with suppress(Refused):
            act(person)

    def turn(self, person) -> Turn | None:
        stage = standing.standing_of(person, self.study, Seat.objects.get(person=person), timezone.now()).stage
        kind = "training" if stage == standing.TRAIN else "test"
        return attempts.next_step(attempts.begin(person, self.study, kind), person).turn

    def care(self, turn: Turn) -> dict:
        """Return a report of the turn's page that shows more than the last one."""
        seconds = self.revealed.get(turn.sitting, 0.0) + self.draw.choice([0.0, 0.5, 2.0])
        if Pair.objects.get(qualification_items=turn.item_id).lane == Pair.Lane.SENSITIVE:
            self.revealed[turn.sitting] = seconds
        return {"showing": "page", "revealed_s": {"video_0": seconds, "video_1": 0.0}, "hidden": 0}

    def answer(self, person) -> None:
        turn = self.turn(person)
        if turn is None:
            return
        if turn.ended_at is None:
            world.answer(turn, person, right=self.draw.random() < 0.7, care=self.care(turn))
            self.accepted[turn.pk] = self.accepted.get(turn.pk, 0) + 1
        turn.refresh_from_db()
        if turn.seen_at is None and self.draw.random() < 0.7:
            attempts.go_on(turn, person, care=self.care(turn))

    def skip(self, person) -> None:
        turn = self.turn(person)
        if turn is not None and turn.ended_at is None:
            attempts.skip(turn, person, reason="cannot_judge", care=self.care(turn))

    def again(self, person) -> None:
        """Send another answer to an earlier turn, as a second tab or a repeated request does."""
        turn = Turn.objects.filter(attempt__person=person).order_by("?").first()
        if turn is not None:
            with pytest.raises(Refused):
                world.answer(turn, person, submission_id=uuid4())
                self.accepted[turn.pk] = self.accepted.get(turn.pk, 0) + 1
                raise Refused("It was live.")

    def waive(self, person) -> None:
        if self.draw.random() < 0.2:
            deciding.waive(self.study, person, "A waiver.", actor=self.admin)

    def take_back(self, person) -> None:
        deciding.take_back(self.study, person, "A mistake.", actor=self.admin)

    def allow(self, person) -> None:
        deciding.allow_attempt(self.study, person, "One more.", actor=self.admin)

    def check(self) -> None:
        assert set(self.accepted.values()) <= {1}
        assert set(TurnAnswer.objects.values_list("turn", flat=True)) == set(self.accepted)
        assert not Assignment.objects.exists()
        for attempt in Attempt.objects.filter(end="finished"):
            result = judging.result_of(attempt)
            assert (attempt.judged, attempt.right, attempt.passed) == (result.judged, result.right, result.passed)
        for seat in Seat.objects.all():
            given = Qualification.objects.filter(person=seat.person, ended_at=None).first()
            assert seat.qualified_at == (given.given_at if given else None)
            extra = ExtraAttempt.objects.filter(person=seat.person).count()
            assert Attempt.objects.filter(person=seat.person, kind="test").count() <= 2 + extra
            rows = QualificationExposure.objects.filter(person=seat.person)
            seconds = sum(row.revealed_s + row.expected_s for row in rows)
            dose = Dose.objects.filter(person=seat.person).first()
            assert (dose.seconds if dose else 0) == pytest.approx(seconds)
        for sitting, seconds in self.revealed.items():
            seen = QualificationExposure.objects.filter(sitting=sitting).aggregate(seen=Sum("revealed_s"))["seen"] or 0
            assert seen == pytest.approx(seconds)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 12))
def test_whatever_happens_nothing_is_counted_twice(db, seed):
    history = History(seed)
    for _step in range(40 if seed == 1 else 150):
        history.step()
    history.check()
