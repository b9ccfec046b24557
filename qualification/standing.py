"""Where a person stands on their way to qualify: what they have done, what they may do now, and why not."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.models import User
from annotation.models import Seat
from qualification import sets
from qualification.models import Attempt, ExtraAttempt, PairSet, Qualification, SetItem, TurnAnswer
from qualification.models.sets import Kind
from qualification.permissions import who_sees_expected_answers
from studies.models import Study

#: Where a person stands: the study asks for no qualification; they are qualified; they have a training to do, or a
#: test; they wait for their next attempt; they have no attempt left; too few pairs of the test may be shown to them;
#: or they can see the expected answers.
NOT_ASKED, QUALIFIED, TRAIN, TEST, WAIT, FAILED, TOO_FEW, SEES_ANSWERS = STAGES = (
    *("not_asked", "qualified", "training", "test", "wait", "failed", "too_few", "sees_answers"),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands. `pairs` has the number of pairs that they are asked, by kind.

    `attempts` are those at the test that is in force, in their order. `allowed` is how many they have.
    """

    stage: str
    qualification: Qualification | None = None
    training: PairSet | None = None
    test: PairSet | None = None
    trained: bool = False
    open: Attempt | None = None
    attempts: list[Attempt] = field(default_factory=list)
    allowed: int = 0
    wait_until: datetime | None = None
    pairs: dict[str, int] = field(default_factory=dict)

    @property
    def last(self) -> Attempt | None:
        """Return the last finished attempt at the test."""
        return next((one for one in reversed(self.attempts) if one.end == Attempt.End.FINISHED), None)

    @property
    def left(self) -> int:
        """Return how many attempts the person has left."""
        return max(0, self.allowed - len(self.attempts))


class Facts:
    """What the standings of some people in a study follow from, read in a fixed number of statements."""

    def __init__(self, study: Study, seats: Mapping[int, Seat | None]) -> None:
        """Read the facts.

        Args:
            seats: by key of the person, for everybody whose standing is asked. None means that they have none yet.
        """
        people = list(seats)
        self.study, self._seats = study, seats
        self.training, self.test = sets.in_force(study, Kind.TRAINING), sets.in_force(study, Kind.TEST)
        given = Qualification.objects.filter(study=study, person__in=people, ended_at=None)
        self._given = {one.person_id: one for one in given.select_related("given_by", "attempt")}
        own = Attempt.objects.filter(study=study, person__in=people).select_related("set").order_by("number")
        self._attempts: dict[int, list[Attempt]] = {}
        for attempt in own:
            self._attempts.setdefault(attempt.person_id, []).append(attempt)
        extra = ExtraAttempt.objects.filter(set=self.test, person__in=people)
        self._extra = Counter(extra.values_list("person", flat=True))
        self._followed = set(extra.values_list("after", flat=True))
        self._see_answers = who_sees_expected_answers(study, people)
        self._numbers: dict[tuple[str, ...], dict[str, int]] = {}

    def standing(self, person_id: int, now: datetime) -> Standing:
        """Return where one of the people stands now."""
        own = self._attempts.get(person_id, [])
        attempts = [one for one in own if self.test is not None and one.set_id == self.test.pk]
        given = self._given.get(person_id)
        if given is not None:
            return Standing(QUALIFIED, given, self.training, self.test, attempts=attempts)
        if not self.study.qualification_required or self.test is None:
            return Standing(NOT_ASKED, None, self.training, self.test)
        found = Standing(
            "",
            training=self.training,
            test=self.test,
            trained=self.training is None
            or any(one.set_id == self.training.pk and one.end == Attempt.End.FINISHED for one in own),
            open=min((one for one in own if one.ended_at is None), key=lambda one: one.kind, default=None),
            attempts=attempts,
            allowed=self.study.qualification_attempts + self._extra[person_id],
            wait_until=self._waits_until(attempts, now),
            pairs=self._pairs(person_id),
        )
        return replace(found, stage=self._stage(person_id, found))

    def _stage(self, person_id: int, found: Standing) -> str:
        if person_id in self._see_answers:
            return SEES_ANSWERS
        if found.open is not None and found.open.kind == Kind.TEST:
            return TEST
        if not found.left:
            return FAILED
        if found.pairs[Kind.TEST] < sets.FEWEST_OF_TEST:
            return TOO_FEW
        if not found.trained:
            return TRAIN
        return WAIT if found.wait_until is not None else TEST

    def _waits_until(self, attempts: list[Attempt], now: datetime) -> datetime | None:
        """Return when the next attempt may begin, or None if it may begin now."""
        last = attempts[-1] if attempts else None
        if last is None or last.ended_at is None or last.pk in self._followed:
            return None
        until = last.ended_at + timedelta(seconds=self.study.qualification_wait_s)
        return until if until > now else None

    def _pairs(self, person_id: int) -> dict[str, int]:
        """Return how many pairs the person is asked, by kind. People who agreed to the same are asked the same."""
        seat = self._seats[person_id]
        key = tuple(sorted(seat.excluded)) if seat is not None else ()
        if key not in self._numbers:
            asked = [one for one in (self.training, self.test) if one is not None]
            self._numbers[key] = {one.kind: len(items_for(one, seat)) for one in asked}
        return self._numbers[key]


def standing_of(person: User, study: Study, seat: Seat | None, now: datetime) -> Standing:
    """Return where the person stands now. It changes nothing."""
    return Facts(study, {person.pk: seat}).standing(person.pk, now)


def items_for(of: PairSet, seat: Seat | None) -> list[SetItem]:
    """Return the items of a version that the person can be shown, in the order of the version.

    Pairs that may show what they did not agree to see are left out, and pairs that cannot be shown any more.
    """
    items: QuerySet[SetItem] = SetItem.objects.filter(set=of).order_by("place")
    pairs = sets.showable(of.study).in_bulk([item.pair_id for item in items])
    excluded = set(seat.excluded) if seat is not None else set()
    found = []
    for item in items:
        pair = pairs.get(item.pair_id)
        if pair is not None and not set(pair.may_show) & excluded:
            item.pair = pair
            found.append(item)
    return found


def active_ms(person: User, study: Study) -> int:
    """Return the milliseconds of active time that the person has spent on qualifying in the study."""
    given = TurnAnswer.objects.filter(turn__study=study, turn__attempt__person=person)
    return sum(given.values_list("active_ms", flat=True))
