"""A suspension meets the start of a review, leases, decisions and share caps at one moment: one comes before the other.

Each pair of actions is tried in both orders, with one of them waiting for the other's transaction, and killed in the
middle. What must hold afterwards: a frozen answer that was not lost counts, and slots are what is left of the wanted
answers.
"""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from annotation import leases, serving
from annotation.models import Assignment, Seat, Standing
from annotation.seats import locked_seat
from catalog.models import Pair
from diptych.refusals import Refused
from jobs import engine
from qc import decisions, lots
from qc.decisions import Wanted
from qc.models import FrameItem, Lot
from suspensions import suspending, suspension_work
from suspensions.models import SuspendedAnswer, Suspension
from suspensions.suspending import Choice
from tests import factories
from tests.annotation.at_once import no_deadlocks
from tests.annotation.recounting import contradictions
from tests.annotation.test_concurrency import Beside, at_once, submit
from tests.qc.reviewed import answered, in_review, judge
from tests.web import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

ALL = Choice("all")


@pytest.fixture
def study():
    return factories.study(secondary_share=0)


@pytest.fixture
def person(study):
    return factories.member(study, "annotator")


@pytest.fixture
def other(study):
    return factories.member(study, "annotator")


@pytest.fixture
def researcher(study):
    return factories.member(study, "researcher")


@pytest.fixture
def admin(study):
    return factories.member(study, "admin")


@pytest.fixture
def draft(study, person, other, researcher):
    """A draft lot of ten answers, five of each person."""
    answered(study, person, other, pairs=10)
    leases.complete_batches()
    return lots.put_together(study, [1], actor=researcher)


@pytest.fixture
def ordered(study, person, admin, monkeypatch):
    """Return a function that suspends the person, without carrying out the job, and returns the claimed job."""
    monkeypatch.setattr(suspending, "RIGHT_AWAY", -1)

    def order():
        return engine.claim(suspension_work.POLICY, suspend(person, study, admin).pk)

    return order


def suspend(person, study, admin):
    return suspending.suspend(person, study, ALL, why="Random clicks.", actor=admin)


def start(lot, researcher):
    return lots.start(Lot.objects.get(pk=lot.pk), actor=researcher)


def waiting(call):
    """Return the call on its own connection, once it waits for a lock of this transaction."""
    beside = Beside(call)
    wait_for(beside.waits_for_a_lock, "it did not wait")
    return beside


def seat(study, person, **values):
    """Give the person a seat with these values."""
    with transaction.atomic():
        Seat.objects.filter(pk=locked_seat(person, study).pk).update(**values)


def whole(study):
    """Return what is wrong: broken invariants, and frozen answers that no longer count and are not lost."""
    frozen = FrameItem.objects.filter(study=study, lost="", lot__state=Lot.State.IN_REVIEW)
    uncounted = frozen.filter(assignment__standing__counted=False).values_list("assignment", flat=True)
    return contradictions(study.pk) | ({"frozen": list(uncounted)} if uncounted else {})


def returned(person):
    mine = Standing.objects.filter(assignment__person=person)
    return mine.filter(counted=False, uncounted_reason="suspended").count()


def finish():
    """Do the jobs that are left, as a worker does."""
    Suspension.objects.filter(state="running").update(heartbeat_at=timezone.now() - timedelta(minutes=5))
    for suspension in Suspension.objects.exclude(state="done"):
        suspension_work.run(suspension.pk)


@pytest.mark.long
class TestStartOfAReview:
    def test_a_review_that_waits_for_a_step_finds_its_batch_open_again(
        self, draft, ordered, study, person, other, researcher
    ):
        job = ordered()
        with transaction.atomic():
            suspension_work.step(job)
            starting = waiting(lambda: start(draft, researcher))
        starting.join()
        assert isinstance(starting.outcome, Refused), starting.outcome
        assert str(starting.outcome)
        assert not FrameItem.objects.exists()
        assert returned(person) == 5
        assert whole(study) == {}

    def test_a_review_that_waits_for_a_step_starts_without_the_answers_if_nobody_may_take_the_pairs(
        self, draft, ordered, study, person, other, researcher
    ):
        Seat.objects.filter(person=other).update(batches=[99])
        job = ordered()
        with transaction.atomic():
            suspension_work.step(job)
            starting = waiting(lambda: start(draft, researcher))
        starting.join()
        if isinstance(starting.outcome, Refused):  # it had looked at the batch before: the second try sees it open
            assert start(draft, researcher)
        assert set(FrameItem.objects.values_list("assignment__person", flat=True)) == {other.pk}
        assert whole(study) == {}

    def test_a_step_that_waits_for_a_review_to_start_marks_the_frozen_answers_as_lost(
        self, draft, ordered, study, person, researcher
    ):
        job = ordered()
        with transaction.atomic():
            assert start(draft, researcher)
            stepping = waiting(lambda: suspension_work.step(job))
        stepping.join()
        assert not isinstance(stepping.outcome, Exception), stepping.outcome
        lost = FrameItem.objects.filter(lost="withdrawn")
        assert set(lost.values_list("assignment__person", flat=True)) == {person.pk}
        assert (lost.count(), SuspendedAnswer.objects.filter(lost=True).count()) == (5, 5)
        assert whole(study) == {}

    def test_lifted_again_the_review_has_all_its_answers(self, draft, ordered, study, person, admin, researcher):
        job = ordered()
        with transaction.atomic():
            assert start(draft, researcher)
            stepping = waiting(lambda: suspension_work.step(job))
        stepping.join()
        finish()
        suspending.lift(Suspension.objects.get(), why="A mistake.", restore=True, actor=admin)
        finish()
        assert not FrameItem.objects.exclude(lost="").exists()
        assert FrameItem.objects.count() == 10
        assert whole(study) == {}

    @pytest.mark.parametrize("at", ["stop_counting", "mark_withdrawn", "bulk_create", "ask_for_more"])
    def test_a_step_killed_in_the_middle_leaves_the_frame_as_it_was(
        self, draft, ordered, study, person, researcher, monkeypatch, at
    ):
        """The server ends the connection of the worker after this part of the step."""
        assert start(draft, researcher)
        job = ordered()
        places = {
            "stop_counting": (suspension_work.asking_again, "stop_counting"),
            "mark_withdrawn": (suspension_work.frames, "mark_withdrawn"),
            "bulk_create": (SuspendedAnswer.objects, "bulk_create"),
            "ask_for_more": (suspension_work.batches, "ask_for_more"),
        }
        usual = getattr(*places[at])

        def killed(*arguments, **values):
            done = usual(*arguments, **values)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            return done

        with monkeypatch.context() as patched:
            patched.setattr(*places[at], killed)
            worker = Beside(lambda: suspension_work.step(job))
            worker.join(20)
        assert isinstance(worker.outcome, Exception)
        assert returned(person) == 0
        assert not FrameItem.objects.exclude(lost="").exists()
        assert whole(study) == {}
        finish()
        assert returned(person) == 5
        assert FrameItem.objects.filter(lost="withdrawn").count() == 5
        assert whole(study) == {}


@pytest.mark.long
class TestLeases:
    @pytest.fixture
    def current(self, study, person):
        factories.pairs(study, 3)
        return serving.lease(person, study).current

    def test_a_lease_that_waits_for_a_suspension_gets_nothing(self, study, person, admin):
        factories.pairs(study, 3)
        with transaction.atomic():
            locked_seat(person, study)
        with transaction.atomic():
            suspend(person, study, admin)
            leasing = waiting(lambda: serving.lease(person, study))
        leasing.join()
        assert leasing.outcome.reason == "suspended"
        assert not Assignment.objects.filter(state="leased").exists()
        assert whole(study) == {}

    def test_a_suspension_that_waits_for_a_lease_ends_it(self, study, person, admin):
        factories.pairs(study, 3)
        with transaction.atomic():
            assert serving.lease(person, study).current
            suspending_ = waiting(lambda: suspend(person, study, admin))
        suspending_.join()
        assert suspending_.outcome.leases_ended == 2
        assert not Assignment.objects.filter(state="leased").exists()
        assert set(Pair.objects.values_list("open_slots", flat=True)) == {1}
        assert whole(study) == {}

    def test_an_expiring_lease_is_ended_once(self, current, study, person, admin):
        past = timezone.now() - timedelta(hours=1)
        Assignment.objects.update(leased_at=past, expires_at=past + timedelta(minutes=1))
        with transaction.atomic():
            suspend(person, study, admin)
            sweeping = Beside(leases.return_expired)
            sweeping.join(20)  # it skips what is locked
            assert sweeping.outcome == 0
        leases.return_expired()
        assert whole(study) == {}
        assert set(Pair.objects.values_list("open_slots", flat=True)) == {1}

    def test_a_suspension_that_waits_for_the_sweep_finds_the_lease_ended(self, current, study, person, admin):
        past = timezone.now() - timedelta(hours=1)
        Assignment.objects.update(leased_at=past, expires_at=past + timedelta(minutes=1))
        with transaction.atomic():
            leases.return_expired()
            suspending_ = waiting(lambda: suspend(person, study, admin))
        suspending_.join()
        assert not isinstance(suspending_.outcome, Exception), suspending_.outcome
        assert whole(study) == {}
        assert set(Pair.objects.values_list("open_slots", flat=True)) == {1}

    def test_an_answer_that_waits_for_a_suspension_does_not_count(self, current, study, person, admin):
        with transaction.atomic():
            suspend(person, study, admin)
            answering = waiting(lambda: submit(current, person, study))
        answering.join()
        standing = answering.outcome.standing
        assert (standing.counted, standing.uncounted_reason) == (False, "surplus_suspended")
        assert whole(study) == {}

    def test_a_suspension_that_waits_for_an_answer_returns_it(self, current, study, person, admin):
        with transaction.atomic():
            assert submit(current, person, study).standing.counted
            suspending_ = waiting(lambda: suspend(person, study, admin))
        suspending_.join()
        assert returned(person) == 1
        assert whole(study) == {}


@pytest.mark.long
class TestDecisions:
    @pytest.fixture
    def lot(self, study, person, other, researcher):
        answered(study, person, other, pairs=10)
        return in_review(study, researcher)

    def decide(self, lot, outcome, researcher, **values):
        wanted = Wanted(outcome, "It is so.", **values)
        return decisions.decide(Lot.objects.get(pk=lot.pk), wanted, actor=researcher)

    def test_a_step_that_waits_for_an_acceptance_leaves_its_answers(self, lot, ordered, study, person, researcher):
        judge(lot)
        job = ordered()
        with transaction.atomic():
            self.decide(lot, "accepted", researcher)
            stepping = waiting(lambda: suspension_work.step(job))
        stepping.join()
        assert not isinstance(stepping.outcome, Exception), stepping.outcome
        assert returned(person) == 0
        assert whole(study) == {}

    def test_an_acceptance_that_waits_for_a_step_is_decided_without_the_answers(
        self, lot, ordered, study, person, researcher
    ):
        judge(lot)
        job = ordered()
        with transaction.atomic():
            suspension_work.step(job)
            deciding = waiting(lambda: self.decide(lot, "accepted", researcher))
        deciding.join()
        assert returned(person) == 5
        if isinstance(deciding.outcome, Refused):
            assert str(deciding.outcome)
        else:
            assert Lot.objects.get().state == "accepted"
        assert FrameItem.objects.filter(lost="withdrawn").count() == 5
        assert whole(study) == {}

    @pytest.mark.parametrize("first", ["step", "decision"])
    def test_a_return_and_a_step_ask_for_each_answer_once(self, lot, ordered, study, person, researcher, first):
        judge(lot, defects=5)
        job = ordered()
        acts = {
            "step": lambda: suspension_work.step(job),
            "decision": lambda: self.decide(lot, "returned", researcher, ask_again="all", against_plan=True),
        }
        later = acts["decision" if first == "step" else "step"]
        with transaction.atomic():
            acts[first]()
            beside = waiting(later)
        beside.join()
        assert not isinstance(beside.outcome, Exception), beside.outcome
        assert Lot.objects.get().state == "returned"
        assert whole(study) == {}
        assert set(Pair.objects.values_list("open_slots", flat=True)) == {1}
        assert not Standing.objects.filter(counted=True).exists()


@pytest.mark.long
class TestShareCap:
    def test_whoever_reaches_their_share_at_the_moment_of_their_suspension(self, study, person, other, admin):
        """Both refuse. The suspension is what the person reads, since ending it would not help them."""
        factories.pairs(study, 3)
        study.share_cap = 0.5
        study.save(update_fields=["share_cap"])
        for who, served in ((person, 60), (other, 40)):
            seat(study, who, served=served)
        assert serving.lease(person, study).reason == "share"
        with transaction.atomic():
            suspend(person, study, admin)
            leasing = waiting(lambda: serving.lease(person, study))
        leasing.join()
        assert leasing.outcome.reason == "suspended"

    def test_the_share_of_others_is_counted_while_somebody_is_suspended(self, study, person, other, admin):
        factories.pairs(study, 3)
        study.share_cap = 0.5
        study.save(update_fields=["share_cap"])
        for who, served in ((person, 60), (other, 50)):
            seat(study, who, served=served)
        with transaction.atomic():
            suspend(person, study, admin)
            leasing = Beside(lambda: serving.lease(other, study))
            leasing.join(20)  # another person's seat is no reason to wait
            assert leasing.outcome.current is not None


@pytest.mark.long
def test_everything_at_once_without_deadlocks(study, researcher, admin):
    """Two people are suspended while others answer, leases expire, and the review of their batch starts."""
    with no_deadlocks():
        for number in range(1, 5):
            people = [factories.member(study, "annotator") for _ in range(4)]
            answered(study, *people[:2], pairs=6, batch=number)
            leases.complete_batches()
            lot = lots.put_together(study, [number], actor=researcher)
            factories.pairs(study, 12, batch=factories.batch(study, number=100 + number))
            live = [(one, serving.lease(one, study).current) for one in people]
            results = at_once(
                lambda lot=lot: start(lot, researcher),
                *[lambda who=who: suspend(who, study, admin) for who in people[:2]],
                *[lambda who=who, lease=lease: submit(lease, who, study, lease_next=True) for who, lease in live],
                leases.return_expired,
                leases.complete_batches,
            )
            odd = [one for one in results if isinstance(one, Exception) and not isinstance(one, Refused)]
            assert odd == []
            finish()
            assert whole(study) == {}
