"""The engine of all jobs, on rows of a real table: claimed once, kept alive, put back, ended, cancelled."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models import Q
from django.utils import timezone

from catalog.models import PairsChange
from jobs import engine, messages
from jobs.engine import Cancelled, Claim, TakenOver
from jobs.policy import Policy, doubling, drawn
from jobs.progress import JobProgress
from tests import factories
from tests.annotation.test_concurrency import at_once
from tests.media.workers import empty, queued_ids

pytestmark = pytest.mark.django_db

POLICY = Policy(
    model=PairsChange,
    name="Job",
    task="catalog.tasks.carry_out_change",
    final=(KeyError,),
    uncounted=(OSError,),
    counted=(ValueError,),
    most_attempts=3,
    tried_in_vain="Tried %(attempts)s times, the last time: %(trouble)s.",
    begun_in_vain="Begun %(attempts)s times.",
)
AN_HOUR_AGO = timedelta(hours=-1)


def waiting(**values):
    """Make a job that waits in a study of its own."""
    of = factories.study()
    facts = {"study": of, "what": "overlap", "value": 2, "until": 1, "asked_by": factories.person()}
    return PairsChange.objects.create(**facts | values)


def running(**values):
    """Return a job as its worker has it after claiming it."""
    job = engine.claim(POLICY, waiting().pk)
    PairsChange.objects.filter(pk=job.pk).update(**values)
    job.refresh_from_db()
    return job


def now_of(job):
    return PairsChange.objects.get(pk=job.pk)


def abandoned(**values):
    return running(heartbeat_at=timezone.now() + AN_HOUR_AGO, **values)


class TestClaiming:
    def test_a_waiting_job_is_claimed_once(self):
        job = waiting()
        claimed = engine.claim(POLICY, job.pk)
        assert (claimed.state, claimed.fence, claimed.attempts) == ("running", 1, 1)
        assert claimed.started_at == claimed.heartbeat_at
        assert now_of(job).fence == 1
        assert engine.claim(POLICY, job.pk) is None

    def test_a_pause_is_waited_for(self):
        job = waiting(wait_until=timezone.now() + timedelta(minutes=1), reason="The disk is full.")
        assert engine.claim(POLICY, job.pk) is None
        PairsChange.objects.update(wait_until=timezone.now())
        claimed = engine.claim(POLICY, job.pk)
        assert (claimed.wait_until, claimed.reason) == (None, "")

    def test_rows_that_belong_to_somebody_else_are_left_alone(self):
        job = waiting()
        ours = replace(POLICY, claimable=~Q(pk=job.pk))
        assert engine.claim(ours, job.pk) is None
        assert engine.claim_next(ours) is None
        assert engine.waiting_too_long(ours, 10) == []

    def test_an_abandoned_job_is_claimed_by_another_worker(self):
        old = abandoned()
        new = engine.claim(POLICY, old.pk)
        assert (new.fence, new.attempts, new.started_at) == (2, 2, old.started_at)

    def test_the_next_one_is_the_first_in_the_order_of_the_policy(self):
        in_order = replace(POLICY, order=("-value", "pk"))
        low, high, also_high = waiting(value=1), waiting(value=9), waiting(value=9)
        waiting(wait_until=timezone.now() + timedelta(minutes=1), value=10)
        assert [engine.claim_next(in_order) for _ in range(4)] == [high, also_high, low, None]

    @pytest.mark.django_db(transaction=True)
    def test_of_workers_that_claim_at_once_each_gets_another_job(self):
        jobs = [waiting() for _ in range(6)]
        in_order = replace(POLICY, order=("pk",))
        claimed = at_once(*[lambda: engine.claim_next(in_order)] * 8)
        assert sorted(job.pk for job in claimed if job) == [job.pk for job in jobs]

    @pytest.mark.django_db(transaction=True)
    def test_of_workers_that_claim_one_job_at_once_one_gets_it(self):
        job = waiting()
        claimed = at_once(*[lambda: engine.claim(POLICY, job.pk)] * 6)
        assert [one for one in claimed if one] == [job]
        assert now_of(job).attempts == 1


class TestWhileItRuns:
    def test_a_beat_writes_progress_and_keeps_the_claim(self):
        job = running()
        assert engine.beat(POLICY, job.pk, job.fence, stage="Counting", steps=3) == Claim(True, False)
        there = now_of(job)
        assert (there.stage, there.steps) == ("Counting", 3)
        assert there.heartbeat_at > job.heartbeat_at

    def test_a_beat_says_that_somebody_cancelled(self):
        job = running()
        engine.cancel(POLICY, job.pk)
        assert engine.beat(POLICY, job.pk, job.fence) == Claim(True, True)
        with pytest.raises(Cancelled):
            engine.go_on_or_raise(POLICY, job.pk, job.fence)
        with pytest.raises(Cancelled):
            engine.locked(POLICY, job.pk, job.fence)

    def test_who_lost_the_claim_writes_nothing(self):
        job = running()
        old = job.fence
        PairsChange.objects.update(fence=old + 1)
        assert engine.beat(POLICY, job.pk, old, steps=3) == Claim(False, False)
        assert not engine.end(POLICY, job.pk, old, "done", value=7)
        engine.put_back(POLICY, job.pk, old, "trouble")
        for step in (engine.go_on_or_raise, engine.locked):
            with pytest.raises(TakenOver):
                step(POLICY, job.pk, old)
        there = now_of(job)
        assert (there.state, there.steps, there.value, there.fence) == ("running", 0, 2, old + 1)

    def test_what_the_policy_asks_of_a_running_row_ends_the_claim(self):
        job = running()
        strict = replace(POLICY, held_while=Q(value=7))
        assert not engine.look(strict, job.pk, job.fence).holds
        assert not engine.end(strict, job.pk, job.fence, "done")

    def test_progress_is_written_by_the_beat_and_ends_with_the_claim(self):
        job = running()
        progress = JobProgress(POLICY, job)
        progress.begin("Counting", 4)
        progress.advance(2)
        assert now_of(job).steps == 0
        progress.beat()
        assert (now_of(job).stage, now_of(job).steps, now_of(job).steps_total) == ("Counting", 2, 4)
        engine.cancel(POLICY, job.pk)
        progress.advance()  # nobody has looked yet
        progress.beat()
        with pytest.raises(Cancelled):
            progress.advance()
        PairsChange.objects.update(fence=9)
        with pytest.raises(TakenOver):
            progress.begin("Writing", 1)


class TestPuttingBack:
    def test_it_waits_with_its_reason_for_a_pause_that_grows(self):
        job = running()
        for times in (1, 2):
            engine.put_back(POLICY, job.pk, job.fence, "The disk is full.")
            there = now_of(job)
            assert (there.state, there.reason, there.attempts) == ("waiting", "The disk is full.", times)
            assert (there.wait_until - timezone.now()).total_seconds() == pytest.approx(60 * times, abs=5)
            PairsChange.objects.update(wait_until=timezone.now())
            job = engine.claim(POLICY, job.pk)

    def test_after_the_last_attempt_it_fails_with_that_reason(self):
        job = running(attempts=3)
        engine.put_back(POLICY, job.pk, job.fence, "no answer")
        there = now_of(job)
        assert (there.state, there.reason) == ("failed", "Tried 3 times, the last time: no answer.")

    def test_attempts_that_do_not_count_never_fail_it(self):
        job = running(attempts=3)
        engine.put_back(POLICY, job.pk, job.fence, "no answer", counted=False)
        assert (now_of(job).state, now_of(job).attempts, now_of(job).pauses) == ("waiting", 2, 1)

    def test_a_cancelled_job_is_not_tried_again(self):
        job = running()
        engine.cancel(POLICY, job.pk)
        engine.put_back(POLICY, job.pk, job.fence, "no answer")
        assert now_of(job).state == "cancelled"

    def test_who_gets_further_has_all_attempts_before_them_again(self):
        job = running(attempts=3, pauses=5)
        engine.get_further(job, steps=1)
        assert (now_of(job).attempts, now_of(job).pauses, now_of(job).steps) == (0, 0, 1)


class TestEnding:
    def test_it_ends_once_and_says_so_in_the_same_transaction(self):
        ended = []
        policy = replace(POLICY, ended=lambda job: ended.append((job.state, job.value)))
        job = running()
        assert engine.end(policy, job.pk, job.fence, "done", value=7)
        assert not engine.end(policy, job.pk, job.fence, "failed", reason="late")
        there = now_of(job)
        assert (there.state, there.value, there.heartbeat_at, there.is_open) == ("done", 7, None, False)
        assert ended == [("done", 7)]

    def test_what_fails_with_its_end_leaves_it_running(self):
        def fail(_job):
            raise LookupError

        job = running()
        with pytest.raises(LookupError):
            engine.end(replace(POLICY, ended=fail), job.pk, job.fence, "done")
        assert now_of(job).state == "running"

    @pytest.mark.parametrize(
        ("error", "state", "reason", "attempts"),
        [
            (KeyError("p"), "failed", "'p'", 1),
            (OSError(28, "No space left on device"), "waiting", "No space left on device", 0),
            (ValueError("secret"), "waiting", "ValueError, see the log", 1),
            (Cancelled(), "cancelled", "", 1),
            (TakenOver(), "running", "", 1),
        ],
    )
    def test_what_the_work_raises_decides_how_it_ends(self, error, state, reason, attempts):
        def work(_job):
            raise error

        job = waiting()
        engine.run(POLICY, job.pk, work)
        there = now_of(job)
        assert (there.state, there.reason, there.attempts) == (state, reason, attempts)

    def test_a_fault_of_the_program_is_said_without_its_words(self):
        def work(_job):
            raise LookupError("/secret/path")

        job = waiting()
        engine.run(POLICY, job.pk, work)
        reason = now_of(job).reason
        assert (now_of(job).state, "LookupError" in reason, "secret" in reason) == ("failed", True, False)

    def test_work_that_ends_itself_is_done(self):
        job = waiting()
        engine.run(POLICY, job.pk, lambda one: engine.end(POLICY, one.pk, one.fence, "done"))
        engine.run(POLICY, job.pk, pytest.fail)
        assert now_of(job).state == "done"


class TestCancellingAndResuming:
    def test_one_that_waits_ends_at_once_and_one_that_runs_at_its_next_step(self):
        idle, busy = waiting(), running()
        for job in (idle, busy):
            assert engine.cancel(POLICY, job.pk)
            assert not engine.cancel(POLICY, job.pk)
        assert (now_of(idle).state, now_of(busy).state) == ("cancelled", "running")

    def test_one_that_has_ended_stays_as_it_is(self):
        job = running()
        engine.end(POLICY, job.pk, job.fence, "done")
        assert not engine.cancel(POLICY, job.pk)
        assert (now_of(job).state, now_of(job).cancel_asked_at) == ("done", None)

    @pytest.mark.long
    @pytest.mark.django_db(transaction=True)
    def test_cancelled_while_it_is_claimed_it_ends_one_way_or_the_other(self):
        for _ in range(10):
            job = waiting()
            claimed, cancelled = at_once(
                lambda pk=job.pk: engine.claim(POLICY, pk), lambda pk=job.pk: engine.cancel(POLICY, pk)
            )
            there = now_of(job)
            assert cancelled is True
            assert there.state == ("running" if claimed else "cancelled")
            assert there.cancel_asked_at is not None

    def test_one_that_ended_waits_again_as_though_nobody_had_tried_it(self):
        job = running(attempts=3, pauses=2)
        assert engine.resume(PairsChange.objects.filter(pk=job.pk)) == 0
        engine.end(POLICY, job.pk, job.fence, "failed", reason="It failed.")
        assert engine.resume(PairsChange.objects.filter(pk=job.pk), value=5) == 1
        there = now_of(job)
        assert (there.state, there.reason, there.attempts, there.pauses, there.value) == ("waiting", "", 0, 0, 5)
        assert engine.claim(POLICY, job.pk).fence == 2


class TestSweeping:
    def test_a_live_job_is_left_alone(self):
        job = running(attempts=3)
        assert engine.give_up_abandoned(POLICY) == (0, 0)
        assert engine.waiting_too_long(POLICY, 10) == []
        assert now_of(job).state == "running"

    def test_one_that_was_begun_too_often_fails_and_one_that_was_cancelled_ends(self):
        often, cancelled, left = abandoned(attempts=3), abandoned(cancel_asked_at=timezone.now()), abandoned()
        assert engine.give_up_abandoned(POLICY) == (0, 2)
        assert (now_of(often).state, now_of(often).reason) == ("failed", "Begun 3 times.")
        assert now_of(cancelled).state == "cancelled"
        assert now_of(left).state == "running"
        assert engine.waiting_too_long(POLICY, 10) == [left.pk]

    def test_where_claims_go_by_order_abandoned_ones_wait_again(self):
        job = abandoned()
        assert engine.give_up_abandoned(replace(POLICY, order=("pk",))) == (1, 0)
        there = now_of(job)
        assert (there.state, there.heartbeat_at, there.attempts) == ("waiting", None, 1)

    def test_only_those_that_wait_too_long_are_announced_again(self):
        long_ago = timezone.now() + AN_HOUR_AGO
        waiting()
        forgotten, paused, rested = (waiting(created_at=long_ago) for _ in range(3))
        PairsChange.objects.filter(pk=paused.pk).update(wait_until=timezone.now() + timedelta(minutes=1))
        PairsChange.objects.filter(pk=rested.pk).update(wait_until=timezone.now())
        assert engine.waiting_too_long(POLICY, 10) == [forgotten.pk, rested.pk]
        assert engine.waiting_too_long(POLICY, 1) == [forgotten.pk]

    def test_a_full_queue_gets_no_more(self, monkeypatch):
        empty("default")
        job = waiting(created_at=timezone.now() + AN_HOUR_AGO)
        assert engine.sweep(POLICY) == 1
        assert messages.queued("default") == 1
        monkeypatch.setattr(messages, "FULL", 1)
        assert engine.sweep(POLICY) == 0
        assert queued_ids("default") == [job.pk]

    def test_a_message_leaves_after_the_commit(self, django_capture_on_commit_callbacks):
        empty("default")
        job = waiting()
        with django_capture_on_commit_callbacks(execute=True):
            engine.announce(POLICY, job.pk)
            assert messages.queued("default") == 0
        assert queued_ids("default") == [job.pk]


def test_trouble_with_the_database_is_counted_unless_a_policy_says_otherwise():
    def work(_job):
        raise OperationalError("the server closed the connection")

    job = waiting()
    plain = Policy(model=PairsChange, name="Job", task="no.such.task")
    engine.run(plain, job.pk, work)
    assert (now_of(job).state, now_of(job).attempts) == ("waiting", 1)
    assert now_of(job).reason == "the server closed the connection"


def test_pauses_double_up_to_the_longest():
    pause = doubling(timedelta(minutes=1), longest=timedelta(minutes=5))
    assert [pause(times).total_seconds() / 60 for times in (1, 2, 3, 4, 1000)] == [1, 2, 4, 5, 5]


def test_pauses_that_are_drawn_stay_within_their_bounds():
    pause = drawn(timedelta(seconds=15), longest=timedelta(minutes=30))
    for times, (shortest, longest) in {1: (15, 30), 2: (30, 60), 9: (900, 1800), 1000: (900, 1800)}.items():
        pauses = [pause(times).total_seconds() for _ in range(50)]
        assert shortest <= min(pauses) < max(pauses) <= longest
