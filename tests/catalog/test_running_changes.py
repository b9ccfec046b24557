"""Changes of many pairs: carried out some pairs at a time, cancelled, taken over, gone on with; and their pages."""

import os
import subprocess
import sys
import threading
import uuid
from datetime import timedelta

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from annotation import serving, submission
from annotation.answers import Answers
from catalog import tasks
from catalog.models import Pair, PairsChange
from catalog.running import carrying_out, changes, overlap
from catalog.running.overlap import ALL, OVERLAP, PRIORITY, Choice
from tests import factories
from tests.annotation import recounting
from tests.annotation.test_concurrency import at_once
from tests.web import wait_for

pytestmark = pytest.mark.django_db

BODY = factories.body()
ANSWERS = Answers.from_body(BODY["helpfulness"], BODY["harmlessness"])


@pytest.fixture(autouse=True)
def every_change_is_large(monkeypatch):
    """Left to a worker, who changes two pairs a step."""
    monkeypatch.setattr(changes, "RIGHT_AWAY", 0)
    monkeypatch.setattr(carrying_out, "A_STEP", 2)


@pytest.fixture
def seven(study):
    return factories.pairs(study, 7)


def order(study, actor, what=OVERLAP, value=3, **chosen):
    chosen = {"which": ALL} | chosen
    return changes.change_pairs(study, what, Choice(**chosen), value, seen=changes.last_change(study), actor=actor)


def now_of(change):
    return PairsChange.objects.get(pk=change.pk)


def after(change, state):
    """The change as it stands, which is so."""
    there = now_of(change)
    assert there.state == state, there.reason
    return there


def wanted(study):
    return list(Pair.objects.filter(study=study).order_by("pk").values_list("wanted", flat=True))


def abandon(change):
    """Its worker was killed a while ago."""
    PairsChange.objects.filter(pk=change.pk).update(heartbeat_at=timezone.now() - 2 * carrying_out.ABANDONED_AFTER)


def begun(change, steps):
    """Claimed, and so many steps done."""
    taken = carrying_out.claim(change.pk)
    for _ in range(steps):
        assert carrying_out.step(taken)
    return taken


def changed_events(study):
    events = AuditEvent.objects.filter(action="pairs.changed", subject_id=str(study.pk)).order_by("pk")
    return [(event.before, event.after["pairs"], event.after.get("ended")) for event in events]


class TestCarryingOut:
    def test_a_large_change_is_left_to_a_worker(self, study, seven, researcher):
        change = order(study, researcher)
        assert (change.state, change.pairs, wanted(study)) == ("waiting", 7, [1] * 7)
        tasks.carry_out_change(change.pk)
        there = after(change, "done")
        assert (there.gone_through, there.changed, wanted(study)) == (7, 7, [3] * 7)
        assert recounting.contradictions(study.pk) == {}
        assert changed_events(study) == [({"pairs": 7, "wanted": 7}, 7, None)]
        assert AuditEvent.objects.get(action="pairs.changed").actor == researcher

    def test_a_small_one_is_done_at_once(self, study, seven, researcher, monkeypatch):
        monkeypatch.setattr(changes, "RIGHT_AWAY", 7)
        assert order(study, researcher).state == "done"
        assert wanted(study) == [3] * 7

    def test_each_step_moves_the_row_along_with_the_pairs(self, study, seven, researcher):
        taken = begun(order(study, researcher), 2)
        there = now_of(taken)
        assert (there.gone_through, there.changed, there.reached) == (4, 4, seven[3].pk)
        assert wanted(study) == [3, 3, 3, 3, 1, 1, 1]

    def test_it_goes_on_where_it_stopped(self, study, seven, researcher):
        change = begun(order(study, researcher), 1)
        Pair.objects.filter(pk=seven[0].pk).update(wanted=9, open_slots=9)  # would be undone by a second time
        abandon(change)
        carrying_out.run(change.pk)
        there = after(change, "done")
        assert (there.gone_through, there.changed, wanted(study)) == (7, 7, [9, 3, 3, 3, 3, 3, 3])
        assert len(changed_events(study)) == 1

    def test_a_message_that_comes_twice_is_harmless(self, study, seven, researcher):
        change = order(study, researcher)
        for _ in range(2):
            tasks.carry_out_change(change.pk)
        assert after(change, "done").fence == 1
        assert len(changed_events(study)) == 1

    def test_while_somebody_is_at_it_nobody_else_takes_it(self, study, seven, researcher):
        change = begun(order(study, researcher), 1)
        assert carrying_out.claim(change.pk) is None

    def test_a_worker_who_was_slow_changes_nothing_more(self, study, seven, researcher):
        slow = begun(order(study, researcher), 1)
        abandon(slow)
        begun(slow, 1)
        with pytest.raises(carrying_out.TakenOver):
            carrying_out.step(slow)
        carrying_out.finish(slow, "done")
        carrying_out.put_back(slow)
        assert after(slow, "running").fence == 2
        assert wanted(study) == [3, 3, 3, 3, 1, 1, 1]

    def test_pairs_that_came_later_are_not_meant(self, study, seven, researcher):
        change = begun(order(study, researcher), 1)
        factories.pairs(study, 4)
        carrying_out.carry_out(change)
        assert after(change, "done").changed == 7
        assert wanted(study) == [3] * 7 + [1] * 4

    def test_pairs_that_are_not_meant_any_more_are_left_as_they_are(self, study, seven, researcher):
        change = begun(order(study, researcher), 1)
        Pair.objects.filter(pk=seven[5].pk).update(held="look at it")
        carrying_out.carry_out(change)
        assert after(change, "done").changed == 6
        assert wanted(study) == [3, 3, 3, 3, 3, 1, 3]

    def test_a_change_of_no_pair_ends_too(self, study, researcher):
        change = order(study, researcher)
        carrying_out.run(change.pk)
        assert after(change, "done").changed == 0

    def test_many_batches_are_made_by_a_worker(self, study, seven, researcher):
        change = changes.make_batches(study, size=3, actor=researcher)
        assert (change.state, Pair.objects.filter(batch__number=1).count()) == ("waiting", 7)
        later = factories.pair(study)
        carrying_out.run(change.pk)
        assert after(change, "done").made == {"first": 2, "batches": 3, "emptied": 0}
        assert Pair.objects.get(pk=later.pk).batch.number == 1
        assert AuditEvent.objects.get(action="batches.made").after["pairs"] == 7

    def test_batches_that_were_cancelled_are_not_made(self, study, seven, researcher):
        change = carrying_out.claim(changes.make_batches(study, size=3, actor=researcher).pk)
        changes.cancel(change, actor=researcher)
        carrying_out.carry_out(change)
        assert after(change, "cancelled").made is None
        assert Pair.objects.filter(batch__number=1).count() == 7
        assert not AuditEvent.objects.filter(action="batches.made").exists()


class TestOrdering:
    def test_a_second_one_waits_for_the_end_of_the_first(self, study, seven, researcher):
        order(study, researcher)
        with pytest.raises(changes.NotPossible, match="is being carried out"):
            order(study, researcher, PRIORITY)
        with pytest.raises(changes.NotPossible, match="is being carried out"):
            changes.make_batches(study, size=3, actor=researcher)
        assert PairsChange.objects.count() == 1

    def test_one_that_is_still_being_carried_out_counts_as_the_last(self, study, seven, researcher):
        order(study, researcher)
        with pytest.raises(changes.ChangedMeanwhile):
            changes.change_pairs(study, OVERLAP, Choice(), 5, seen=0, actor=researcher)

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
        assert tasks.queued("default") == 1


class TestCancelling:
    def test_one_that_waits_ends_at_once(self, study, seven, researcher):
        change = order(study, researcher)
        for _ in range(2):
            changes.cancel(change, actor=researcher)
        carrying_out.run(change.pk)
        assert after(change, "cancelled").changed == 0
        assert changed_events(study) == []
        assert AuditEvent.objects.filter(action="pairs.change_cancelled").count() == 1

    def test_one_that_runs_ends_before_its_next_step_and_what_is_changed_stays(self, study, seven, researcher):
        change = begun(order(study, researcher), 2)
        changes.cancel(change, actor=researcher)
        carrying_out.carry_out(change)
        assert after(change, "cancelled").changed == 4
        assert wanted(study) == [3, 3, 3, 3, 1, 1, 1]
        assert changed_events(study) == [({"pairs": 7, "wanted": 7}, 4, "cancelled")]

    def test_one_whose_worker_is_gone_is_ended_by_the_next(self, study, seven, researcher):
        change = begun(order(study, researcher), 1)
        changes.cancel(change, actor=researcher)
        abandon(change)
        carrying_out.run(change.pk)
        assert after(change, "cancelled").changed == 2

    def test_then_another_may_be_ordered(self, study, seven, researcher):
        changes.cancel(order(study, researcher), actor=researcher)
        carrying_out.run(order(study, researcher, value=2).pk)
        assert wanted(study) == [2] * 7


class TestTrouble:
    def fail(self, study, researcher, monkeypatch):
        """A change whose second step meets a fault of the program."""
        change = begun(order(study, researcher), 1)
        with monkeypatch.context() as fault:
            fault.setattr(overlap, "CHANGE_OVERLAP", "SELECT no_such_column")
            carrying_out.carry_out(change)
        return after(change, "failed")

    def test_a_fault_of_the_program_ends_it_with_a_reason_and_it_can_go_on(self, study, seven, researcher, monkeypatch):
        change = self.fail(study, researcher, monkeypatch)
        assert "ProgrammingError" in change.reason
        assert changed_events(study) == [({"pairs": 7, "wanted": 7}, 2, "failed")]
        changes.resume(change, actor=researcher)
        carrying_out.run(change.pk)
        assert after(change, "done").changed == 7
        assert changed_events(study)[1:] == [({"pairs": 7, "wanted": 7}, 7, None)]

    def test_nothing_goes_on_over_what_was_changed_since(self, study, seven, researcher, monkeypatch):
        change = self.fail(study, researcher, monkeypatch)
        later = order(study, researcher, value=2)
        with pytest.raises(changes.NotPossible, match="Other changes were made since"):
            changes.resume(change, actor=researcher)
        with pytest.raises(changes.NotPossible, match="Only a change that failed"):
            changes.resume(later, actor=researcher)

    @pytest.mark.django_db(transaction=True)
    def test_after_trouble_with_the_database_it_has_a_pause(self):
        study = factories.study()
        there = factories.pairs(study, 3)
        change = order(study, factories.member(study, "researcher"))

        def impatient():
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '50ms'")
            carrying_out.run(change.pk)

        with transaction.atomic():
            Pair.objects.select_for_update().get(pk=there[2].pk)
            assert at_once(impatient) == [None]
        paused = after(change, "waiting")
        assert (paused.changed, wanted(study)) == (2, [3, 3, 1])
        carrying_out.run(change.pk)
        assert after(change, "waiting").fence == 1
        PairsChange.objects.update(heartbeat_at=timezone.now())
        carrying_out.run(change.pk)
        assert after(change, "done").changed == 3

    def test_one_that_does_not_get_on_is_given_up(self, study, seven, researcher):
        change = order(study, researcher)
        for _ in range(carrying_out.MOST_ATTEMPTS):
            assert carrying_out.claim(change.pk)
            abandon(change)
        assert carrying_out.claim(change.pk) is None
        assert carrying_out.give_up_abandoned() == 1
        assert after(change, "failed").reason == carrying_out.NO_END

    def test_one_that_gets_on_may_be_begun_as_often_as_it_takes(self, study, seven, researcher, monkeypatch):
        monkeypatch.setattr(carrying_out, "MOST_ATTEMPTS", 2)
        change = order(study, researcher)
        for _ in range(3):
            begun(change, 1)
            abandon(change)
        carrying_out.run(change.pk)
        assert after(change, "done").changed == 7

    def test_the_sweep_finds_what_waits_and_what_was_abandoned(self, study, seven, researcher):
        change = order(study, researcher)
        assert tasks.look_after_changes() == 0  # its message is under way
        PairsChange.objects.update(created_at=timezone.now() - 2 * carrying_out.RESEND_AFTER)
        assert tasks.look_after_changes() == 1
        begun(change, 1)
        assert tasks.look_after_changes() == 0
        abandon(change)
        assert tasks.look_after_changes() == 1

    def test_without_a_broker_the_row_waits_and_nothing_fails(self):
        script = "from catalog import tasks; tasks.announce_change(1); tasks.announce_media_order(2)"
        away = os.environ | {"REDIS_URL": "redis://127.0.0.1:1/0"}
        command = [sys.executable, "manage.py", "shell", "-c", script]
        ran = subprocess.run(command, env=away, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        assert "catalog.tasks.carry_out_change of 1 waits for the next sweep" in ran.stderr
        assert "catalog.tasks.order_media of 2 waits for the next sweep" in ran.stderr


class TestOrderOfPreparing:
    def test_the_sweep_catches_up_with_a_message_that_was_lost(self, study):
        about = factories.prompt(study)
        waiting = factories.asset(state="pending")
        factories.pair(study, prompt=about, video_0=factories.video(about, asset=waiting), ready=False)
        assert tasks.order_all_media() == 1
        assert tasks.order_all_media() == 0
        study.state = "paused"
        study.save()
        assert tasks.order_all_media() == 1
        waiting.refresh_from_db()
        assert waiting.priority < 0


@pytest.mark.django_db(transaction=True)
class TestWhilePeopleAnswer:
    def work(self, person, study, turns):
        for turn in range(turns):
            desk = serving.lease(person, study)
            if desk.current is None:
                continue
            if turn % 4 == 3:
                serving.release(desk.current, person)
                continue
            self.submit(desk.current, person)

    def submit(self, assignment, person):
        return submission.submit(
            assignment, person, submission_id=uuid.uuid4(), answers=ANSWERS, timings_ms={}, viewing={}
        )

    @pytest.mark.parametrize("seed", range(3))
    def test_the_count_stays_exact(self, seed):
        study = factories.study()
        factories.pairs(study, 24, wanted=2)
        people = [factories.member(study, "annotator") for _ in range(5)]
        researcher = factories.member(study, "researcher")

        def change_often():
            for value in (4, 1, 3, 2, 5, 1 + seed):
                carrying_out.run(order(study, researcher, value=value).pk)

        outcomes = at_once(*[lambda p=p: self.work(p, study, 16) for p in people], change_often)
        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
        assert set(PairsChange.objects.values_list("state", flat=True)) == {"done"}
        assert recounting.contradictions(study.pk) == {}

    def test_an_answer_waits_for_a_step_at_most_and_is_counted(self, monkeypatch):
        study = factories.study()
        factories.pairs(study, 6, wanted=2)
        first, second = (factories.member(study, "annotator") for _ in range(2))
        early = serving.lease(first, study).current
        late = serving.lease(second, study).current
        Pair.objects.filter(pk=late.pair_id).update(priority=-1)
        change = order(study, factories.member(study, "researcher"), value=1)
        changed, go_on = threading.Event(), threading.Event()
        statement = overlap.change_next

        def slowly(*given):
            done = statement(*given)
            changed.set()
            assert go_on.wait(30)
            return done

        monkeypatch.setattr(overlap, "change_next", slowly)
        answers = []

        def answer_meanwhile():
            assert changed.wait(30)  # the first step's two pairs are locked
            beyond = Pair.objects.filter(study=study).order_by("pk")[4]
            with transaction.atomic():  # whoever answers another pair does not wait
                Pair.objects.select_for_update(nowait=True, of=("self",)).get(pk=beyond.pk)
            waits = threading.Thread(target=answer_locked)
            waits.start()
            wait_for(lambda: waiting_for_locks() == 1, "nobody waits for the step")
            go_on.set()
            waits.join(30)

        def answer_locked():
            try:
                answers.append(self.submit(early, first))
            finally:
                connection.close()

        outcomes = at_once(lambda: carrying_out.run(change.pk), answer_meanwhile)
        assert outcomes == [None, None]
        assert len(answers) == 1
        self.submit(late, second)
        assert after(change, "done").changed
        assert recounting.contradictions(study.pk) == {}

    def test_two_workers_on_one_row_change_each_pair_once(self):
        study = factories.study()
        factories.pairs(study, 40)
        researcher = factories.member(study, "researcher")
        slow = carrying_out.claim(order(study, researcher).pk)
        abandon(slow)
        quick = carrying_out.claim(slow.pk)
        outcomes = at_once(lambda: carrying_out.carry_out(slow), lambda: carrying_out.carry_out(quick))
        assert outcomes == [None, None]
        there = after(slow, "done")
        assert (there.gone_through, there.changed) == (40, 40)
        assert len(changed_events(study)) == 1

    def test_of_many_workers_that_are_told_one_takes_it(self):
        study = factories.study()
        factories.pairs(study, 9)
        change = order(study, factories.member(study, "researcher"))
        assert at_once(*[lambda: tasks.carry_out_change(change.pk)] * 4) == [None] * 4
        assert after(change, "done").fence == 1

    def test_cancelling_meets_the_last_step(self):
        for _ in range(5):
            study = factories.study()
            factories.pairs(study, 5)
            researcher = factories.member(study, "researcher")
            change = carrying_out.claim(order(study, researcher).pk)
            outcomes = at_once(
                lambda c=change: carrying_out.carry_out(c), lambda c=change, r=researcher: changes.cancel(c, actor=r)
            )
            assert outcomes == [None, None]
            there = now_of(change)
            assert there.state in ("done", "cancelled")
            assert wanted(study) == [3] * there.changed + [1] * (5 - there.changed)
            assert [pairs for _before, pairs, _ended in changed_events(study)] == [there.changed] * bool(there.changed)


def waiting_for_locks():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


class TestPages:
    CHOSEN = {"what": "overlap", "value": 3, "which": "all", "sample": "others", "batch": "", "prompt_type": ""}

    @pytest.fixture
    def client(self, browser_client, researcher):
        return browser_client(researcher)

    def address(self, name, study, *more):
        return reverse(f"running:{name}", args=[study.slug, *more])

    def text(self, answer):
        return " ".join(answer.content.decode().split())

    def test_a_large_change_is_shown_while_it_is_carried_out(self, client, study, seven, researcher):
        shown = client.get(self.address("pairs", study), self.CHOSEN)
        assert "You need not wait for it" in self.text(shown)
        answer = client.post(self.address("pairs", study), self.CHOSEN | {"seen": 0}, follow=True)
        change = PairsChange.objects.get()
        for page in (answer, client.get(self.address("pairs", study))):
            said = self.text(page)
            assert "Answers a pair: 3" in said
            assert f"Ordered by {researcher.username}" in said
            assert "0 of 7 pairs" in said
            assert self.address("cancel_change", study, change.pk) in said
            assert "watching" in said
        begun(change, 2)
        told = client.get(self.address("change", study, change.pk)).json()
        assert (told["version"], told["how_far"], told["steps"], told["total"]) == ("running", "4 of 7 pairs", 4, 7)

    def test_another_one_is_refused_meanwhile(self, client, study, seven, researcher):
        seen = order(study, researcher).pk
        shown = client.get(self.address("pairs", study), self.CHOSEN | {"value": 5})
        assert "Order this one when that has ended" in self.text(shown)
        assert "Change 7 pairs" not in self.text(shown)
        answer = client.post(self.address("pairs", study), self.CHOSEN | {"value": 5, "seen": seen}, follow=True)
        assert "Another change of this study’s pairs is being carried out." in self.text(answer)
        answer = client.post(self.address("batches", study), {"size": 3, "prompt_type": ""})
        assert (answer.status_code, "Another change of this study’s pairs" in self.text(answer)) == (400, True)

    def test_cancelled_it_says_what_came_of_it(self, client, study, seven, researcher):
        change = begun(order(study, researcher, batch=1), 2)
        answer = client.post(self.address("cancel_change", study, change.pk), follow=True)
        assert "Being cancelled" in self.text(answer)
        carrying_out.carry_out(change)
        said = self.text(client.get(self.address("batches", study)))
        assert "4 pairs are changed." in said
        assert "Of pairs: all, also those that have them · Random sample: left out · Batch: 1" in said
        assert ">cancelled<" in said

    def test_one_that_failed_says_why_and_goes_on(self, client, study, seven, researcher, monkeypatch):
        change = TestTrouble().fail(study, researcher, monkeypatch)
        said = self.text(client.get(self.address("batches", study)))
        assert f"{change.reason} 2 pairs are changed.".split("(")[0] in said
        monkeypatch.setattr(changes, "RIGHT_AWAY", 10)
        answer = client.post(self.address("resume_change", study, change.pk), follow=True)
        assert "7 pairs are changed." in self.text(answer)
        assert "Go on with it" not in self.text(answer)
        again = client.post(self.address("resume_change", study, change.pk), follow=True)
        assert "Only a change that failed can go on." in self.text(again)

    def test_batches_that_are_being_made_are_shown_too(self, client, study, seven):
        answer = client.post(self.address("batches", study), {"size": 3, "prompt_type": ""}, follow=True)
        said = self.text(answer)
        assert "Batches of 3 made anew" in said
        assert "The batches stay as they are." in said
        carrying_out.run(PairsChange.objects.get().pk)
        assert "7 pairs are in batches 2 to 4 now." in self.text(client.get(self.address("batches", study)))

    def test_the_last_few_are_named(self, client, study, seven, researcher):
        for value in range(2, 9):
            carrying_out.run(order(study, researcher, PRIORITY, value).pk)
        said = self.text(client.get(self.address("pairs", study)))
        assert [value for value in range(2, 9) if f"Priority: {value} " in said] == [4, 5, 6, 7, 8]

    def test_a_change_of_another_study_is_not_there(self, client, study, seven):
        other = factories.study()
        factories.pair(other)
        change = order(other, factories.member(other, "researcher"))
        assert client.get(self.address("change", study, change.pk)).status_code == 404
        assert client.post(self.address("cancel_change", study, change.pk)).status_code == 404
        assert after(change, "waiting").created_at < timezone.now() + timedelta(minutes=1)
