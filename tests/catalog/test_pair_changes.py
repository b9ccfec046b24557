"""Changes of many pairs: carried out in steps, cancelled, taken over, resumed."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import AuditEvent
from catalog import tasks
from catalog.models import Pair, PairsChange
from catalog.pair_changes import orders, work
from catalog.pair_changes.effects import OVERLAP, PRIORITY
from catalog.pair_changes.work import POLICY
from diptych.refusals import ChangedMeanwhile, Refused
from jobs import engine, messages
from tests import factories
from tests.annotation import recounting
from tests.annotation.test_concurrency import at_once
from tests.catalog.changing import (
    abandon,
    after,
    begun,
    carry_out,
    changed_events,
    choice,
    every_change_is_large,
    failed_at_the_second_step,
    now_of,
    order,
    seven,
    wanted,
)

__all__ = ["every_change_is_large", "seven"]  # fixtures

pytestmark = pytest.mark.django_db


class TestCarryingOut:
    def test_a_large_change_is_left_to_a_worker(self, study, seven, researcher):
        change = order(study, researcher)
        assert (change.state, change.steps_total, wanted(study)) == ("waiting", 7, [1] * 7)
        tasks.carry_out_change(change.pk)
        there = after(change, "done")
        assert (there.steps, there.changed, wanted(study)) == (7, 7, [3] * 7)
        assert recounting.contradictions(study.pk) == {}
        assert changed_events(study) == [({"pairs": 7, "wanted": 7}, 7, None)]
        assert AuditEvent.objects.get(action="pairs.changed").actor == researcher

    @pytest.mark.long
    def test_a_small_one_is_done_at_once(self, study, seven, researcher, monkeypatch):
        monkeypatch.setattr(orders, "RIGHT_AWAY", 7)
        assert order(study, researcher).state == "done"
        assert wanted(study) == [3] * 7

    def test_each_step_moves_the_row_along_with_the_pairs(self, study, seven, researcher):
        taken = begun(order(study, researcher), 2)
        there = now_of(taken)
        assert (there.steps, there.changed, there.reached) == (4, 4, seven[3].pk)
        assert wanted(study) == [3, 3, 3, 3, 1, 1, 1]

    def test_it_goes_on_where_it_stopped(self, study, seven, researcher):
        change = begun(order(study, researcher), 1)
        Pair.objects.filter(pk=seven[0].pk).update(wanted=9, open_slots=9)  # a second run of the step would undo this
        abandon(change)
        work.run(change.pk)
        there = after(change, "done")
        assert (there.steps, there.changed, wanted(study)) == (7, 7, [9, 3, 3, 3, 3, 3, 3])
        assert len(changed_events(study)) == 1

    def test_a_message_that_comes_twice_is_harmless(self, study, seven, researcher):
        change = order(study, researcher)
        for _ in range(2):
            tasks.carry_out_change(change.pk)
        assert after(change, "done").fence == 1
        assert len(changed_events(study)) == 1

    def test_a_worker_who_was_slow_changes_nothing_more(self, study, seven, researcher):
        slow = begun(order(study, researcher), 1)
        abandon(slow)
        begun(slow, 1)
        with pytest.raises(engine.TakenOver):
            work.step(slow)
        engine.end(POLICY, slow.pk, slow.fence, "done")
        engine.put_back(POLICY, slow.pk, slow.fence, "trouble")
        assert after(slow, "running").fence == 2
        assert wanted(study) == [3, 3, 3, 3, 1, 1, 1]

    def test_pairs_that_came_later_are_not_meant(self, study, seven, researcher):
        change = begun(order(study, researcher), 1)
        factories.pairs(study, 4)
        carry_out(change)
        assert after(change, "done").changed == 7
        assert wanted(study) == [3] * 7 + [1] * 4

    def test_pairs_that_are_not_meant_any_more_are_left_as_they_are(self, study, seven, researcher):
        change = begun(order(study, researcher), 1)
        Pair.objects.filter(pk=seven[5].pk).update(held="look at it")
        carry_out(change)
        assert after(change, "done").changed == 6
        assert wanted(study) == [3, 3, 3, 3, 3, 1, 3]

    def test_a_change_of_no_pair_ends_too(self, study, researcher):
        change = order(study, researcher)
        work.run(change.pk)
        assert after(change, "done").changed == 0

    def test_many_batches_are_made_by_a_worker(self, study, seven, researcher):
        change = orders.make_batches(study, size=3, actor=researcher)
        assert (change.state, Pair.objects.filter(batch__number=1).count()) == ("waiting", 7)
        later = factories.pair(study)
        work.run(change.pk)
        assert after(change, "done").made == {"first": 2, "batches": 3, "emptied": 0}
        assert Pair.objects.get(pk=later.pk).batch.number == 1
        assert AuditEvent.objects.get(action="batches.made").after["pairs"] == 7

    def test_batches_that_were_cancelled_are_not_made(self, study, seven, researcher):
        change = engine.claim(POLICY, orders.make_batches(study, size=3, actor=researcher).pk)
        orders.cancel(change, actor=researcher)
        carry_out(change)
        assert after(change, "cancelled").made is None
        assert Pair.objects.filter(batch__number=1).count() == 7
        assert not AuditEvent.objects.filter(action="batches.made").exists()


class TestOrdering:
    def test_a_second_one_waits_for_the_end_of_the_first(self, study, seven, researcher):
        order(study, researcher)
        with pytest.raises(Refused, match="is in progress"):
            order(study, researcher, PRIORITY)
        with pytest.raises(Refused, match="is in progress"):
            orders.make_batches(study, size=3, actor=researcher)
        assert PairsChange.objects.count() == 1

    def test_one_that_is_still_being_carried_out_counts_as_the_last(self, study, seven, researcher):
        order(study, researcher)
        with pytest.raises(ChangedMeanwhile):
            orders.change_pairs(study, OVERLAP, 5, choice(), seen=0, actor=researcher)

    def test_another_study_need_not_wait(self, study, seven, researcher):
        order(study, researcher)
        other = factories.study()
        factories.pair(other)
        assert order(other, factories.member(other, "researcher")).state == "waiting"

    @pytest.mark.django_db(transaction=True)
    def test_a_worker_is_told_once_it_is_committed(self):
        with current_app.connection_for_write() as broker:
            broker.default_channel.queue_purge("default")
        study = factories.study()
        factories.pairs(study, 2)
        order(study, factories.member(study, "researcher"))
        assert messages.queued("default") == 1


class TestCancelling:
    @pytest.mark.long
    def test_one_that_waits_ends_at_once(self, study, seven, researcher):
        change = order(study, researcher)
        for _ in range(2):
            orders.cancel(change, actor=researcher)
        work.run(change.pk)
        assert after(change, "cancelled").changed == 0
        assert changed_events(study) == []
        assert AuditEvent.objects.filter(action="pairs.change_cancelled").count() == 1

    def test_one_that_runs_ends_before_its_next_step_and_what_is_changed_stays(self, study, seven, researcher):
        change = begun(order(study, researcher), 2)
        orders.cancel(change, actor=researcher)
        carry_out(change)
        assert after(change, "cancelled").changed == 4
        assert wanted(study) == [3, 3, 3, 3, 1, 1, 1]
        assert changed_events(study) == [({"pairs": 7, "wanted": 7}, 4, "cancelled")]

    def test_one_whose_worker_is_gone_is_ended_by_the_next(self, study, seven, researcher):
        change = begun(order(study, researcher), 1)
        orders.cancel(change, actor=researcher)
        abandon(change)
        work.run(change.pk)
        assert after(change, "cancelled").changed == 2

    def test_then_another_may_be_ordered(self, study, seven, researcher):
        orders.cancel(order(study, researcher), actor=researcher)
        work.run(order(study, researcher, value=2).pk)
        assert wanted(study) == [2] * 7


class TestTrouble:
    def test_a_fault_of_the_program_ends_it_with_a_reason_and_it_can_go_on(self, study, seven, researcher, monkeypatch):
        change = failed_at_the_second_step(study, researcher, monkeypatch)
        assert "ProgrammingError" in change.reason
        assert changed_events(study) == [({"pairs": 7, "wanted": 7}, 2, "failed")]
        orders.resume(change, actor=researcher)
        work.run(change.pk)
        assert after(change, "done").changed == 7
        assert changed_events(study)[1:] == [({"pairs": 7, "wanted": 7}, 7, None)]

    def test_nothing_goes_on_over_what_was_changed_since(self, study, seven, researcher, monkeypatch):
        change = failed_at_the_second_step(study, researcher, monkeypatch)
        later = order(study, researcher, value=2)
        with pytest.raises(Refused, match="Other changes have been made since"):
            orders.resume(change, actor=researcher)
        with pytest.raises(Refused, match="Only a failed change"):
            orders.resume(later, actor=researcher)

    @pytest.mark.django_db(transaction=True)
    def test_after_trouble_with_the_database_it_has_a_pause(self):
        study = factories.study()
        there = factories.pairs(study, 3)
        change = order(study, factories.member(study, "researcher"))

        def impatient():
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '50ms'")
            work.run(change.pk)

        with transaction.atomic():
            Pair.objects.select_for_update().get(pk=there[2].pk)
            assert at_once(impatient) == [None]
        paused = after(change, "waiting")
        assert (paused.changed, wanted(study)) == (2, [3, 3, 1])
        work.run(change.pk)
        assert after(change, "waiting").fence == 1
        PairsChange.objects.update(wait_until=timezone.now())
        work.run(change.pk)
        assert after(change, "done").changed == 3

    def test_one_that_does_not_get_on_is_given_up(self, study, seven, researcher):
        change = order(study, researcher)
        for _ in range(POLICY.most_attempts):
            assert engine.claim(POLICY, change.pk)
            abandon(change)
        assert engine.claim(POLICY, change.pk) is None
        assert engine.give_up_abandoned(POLICY) == (0, 1)
        assert after(change, "failed").reason == work.NO_END

    def test_one_that_gets_on_may_be_begun_as_often_as_it_takes(self, study, seven, researcher, monkeypatch):
        monkeypatch.setattr(work, "POLICY", replace(POLICY, most_attempts=2))
        change = order(study, researcher)
        for _ in range(3):
            begun(change, 1)
            abandon(change)
        work.run(change.pk)
        assert after(change, "done").changed == 7

    def test_the_sweep_finds_what_waits_and_what_was_abandoned(self, study, seven, researcher):
        change = order(study, researcher)
        assert tasks.look_after_changes() == 0  # its message has been sent
        PairsChange.objects.update(created_at=timezone.now() - 2 * POLICY.resend_after)
        assert tasks.look_after_changes() == 1
        begun(change, 1)
        assert tasks.look_after_changes() == 0
        abandon(change)
        assert tasks.look_after_changes() == 1

    @pytest.mark.long
    def test_without_a_broker_the_row_waits_and_nothing_fails(self):
        script = "from jobs.messages import send; send('catalog.tasks.carry_out_change', [1]); send('order_media', [2])"
        away = os.environ | {"REDIS_URL": "redis://127.0.0.1:1/0"}
        command = [sys.executable, "manage.py", "shell", "-c", script]
        ran = subprocess.run(command, env=away, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        assert "so 1 of catalog.tasks.carry_out_change wait for the next sweep" in ran.stderr
        assert "order_media" not in ran.stderr  # it was not sent: the broker was known to be away


class TestOrderOfPreparing:
    def test_the_sweep_catches_up_with_a_message_that_was_lost(self, study):
        about = factories.prompt(study)
        waiting = factories.asset(state="waiting")
        factories.pair(study, prompt=about, video_0=factories.video(about, asset=waiting), ready=False)
        assert tasks.order_all_media() == 1
        assert tasks.order_all_media() == 0
        study.state = "paused"
        study.save()
        assert tasks.order_all_media() == 1
        waiting.refresh_from_db()
        assert waiting.priority < 0
