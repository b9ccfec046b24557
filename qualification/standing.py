"""Where a person stands on their way to qualify: what they have done, what they may do now, and why not."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.models import User
from annotation.models import Seat
from qualification import sets
from qualification.models import Attempt, ExtraAttempt, PairSet, Qualification, SetItem, TurnAnswer
from qualification.models.sets import Kind
from qualification.permissions import sees_expected_answers
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
    done: int = 0

    @property
    def last(self) -> Attempt | None:
        """Return the last finished attempt at the test."""
        return next((one for one in reversed(self.attempts) if one.end == Attempt.End.FINISHED), None)

    @property
    def left(self) -> int:
        """Return how many attempts the person has left."""
        return max(0, self.allowed - len(self.attempts))


def standing_of(person: User, study: Study, seat: Seat | None, now: datetime) -> Standing:
    """Return where the person stands now. It changes nothing."""
    training, test = sets.in_force(study, Kind.TRAINING), sets.in_force(study, Kind.TEST)
    given = Qualification.objects.filter(study=study, person=person, ended_at=None).select_related("given_by").first()
    if given is not None:
        return Standing(QUALIFIED, given, training, test, attempts=attempts_at(test, person))
    if not study.qualification_required or test is None:
        return Standing(NOT_ASKED, None, training, test)
    attempts = attempts_at(test, person)
    opened = (
        Attempt.objects.filter(study=study, person=person, ended_at=None).select_related("set").order_by("kind").first()
    )
    trained = training is None or finished(training, person)
    allowed = study.qualification_attempts + ExtraAttempt.objects.filter(set=test, person=person).count()
    pairs = {one.kind: len(items_for(one, seat)) for one in (training, test) if one is not None}
    wait_until = _waits_until(attempts, study, now)
    about = {
        "training": training,
        "test": test,
        "trained": trained,
        "open": opened,
        "attempts": attempts,
        "allowed": allowed,
        "wait_until": wait_until,
        "pairs": pairs,
        "done": opened.turns.filter(ended_at__isnull=False).count() if opened else 0,
    }
    return Standing(_stage(person, study, opened, trained, len(attempts) >= allowed, wait_until, pairs), **about)  # type: ignore[arg-type]


def _stage(
    person: User,
    study: Study,
    opened: Attempt | None,
    trained: bool,
    used_up: bool,
    wait_until: datetime | None,
    pairs: dict[str, int],
) -> str:
    if sees_expected_answers(person, study):
        return SEES_ANSWERS
    if opened is not None and opened.kind == Kind.TEST:
        return TEST
    if used_up:
        return FAILED
    if pairs[Kind.TEST] < sets.FEWEST_OF_TEST:
        return TOO_FEW
    if not trained:
        return TRAIN
    return WAIT if wait_until is not None else TEST


def attempts_at(of: PairSet | None, person: User) -> list[Attempt]:
    """Return the person's attempts at this version, in their order."""
    return list(Attempt.objects.filter(set=of, person=person).order_by("number")) if of is not None else []


def finished(training: PairSet, person: User) -> bool:
    """Return whether the person has gone through this version of the training."""
    return Attempt.objects.filter(set=training, person=person, end=Attempt.End.FINISHED).exists()


def _waits_until(attempts: list[Attempt], study: Study, now: datetime) -> datetime | None:
    """Return when the next attempt may begin, or None if it may begin now."""
    last = attempts[-1] if attempts else None
    if last is None or last.ended_at is None or ExtraAttempt.objects.filter(after=last).exists():
        return None
    until = last.ended_at + timedelta(seconds=study.qualification_wait_s)
    return until if until > now else None


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
