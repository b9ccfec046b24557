"""Changes of many pairs while people answer them, and the pages that show them."""

import threading
from datetime import timedelta
from random import Random

import pytest
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from annotation import serving
from catalog import tasks
from catalog.models import Pair, PairsChange
from catalog.pair_changes import effects, orders, work
from catalog.pair_changes.effects import ALL, PRIORITY
from catalog.pair_changes.work import POLICY
from jobs import engine
from tests import factories
from tests.annotation import recounting
from tests.annotation.test_concurrency import at_once, submit
from tests.catalog.changing import (
    abandon,
    after,
    begun,
    carry_out,
    changed_events,
    every_change_is_large,
    failed_at_the_second_step,
    now_of,
    order,
    seven,
    wanted,
)
from tests.web import wait_for

__all__ = ["every_change_is_large", "seven"]  # fixtures

pytestmark = pytest.mark.django_db


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
class TestWhilePeopleAnswer:
    def work(self, person, study, turns):
        for turn in range(turns):
            current = serving.lease(person, study).current
            if current and turn % 4 == 3:
                serving.release(current, person)
            elif current:
                submit(current, person, study)

    @pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2))])
    @pytest.mark.parametrize(("right_away", "a_step"), [pytest.param(0, 2, marks=pytest.mark.long), (5_000, 1_000)])
    def test_the_count_stays_exact(self, seed, right_away, a_step, monkeypatch):
        monkeypatch.setattr(orders, "RIGHT_AWAY", right_away)
        monkeypatch.setattr(work, "A_STEP", a_step)
        study = factories.study()
        factories.pairs(study, 24, wanted=2)
        people = [factories.member(study, "annotator") for _ in range(5)]
        researcher = factories.member(study, "researcher")
        values = Random(seed).choices(range(1, 6), k=20)

        def change_often():
            for value in values:
                work.run(order(study, researcher, value=value, sample=ALL).pk)

        outcomes = at_once(*[lambda p=p: self.work(p, study, 16) for p in people], change_often)
        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
        assert list(PairsChange.objects.values_list("state", flat=True)) == ["done"] * len(values)
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
        statement = effects.change_next

        def slowly(*given):
            done = statement(*given)
            changed.set()
            assert go_on.wait(30)
            return done

        monkeypatch.setattr(effects, "change_next", slowly)
        answers = []

        def answer_meanwhile():
            assert changed.wait(30)  # the first step's two pairs are locked
            beyond = Pair.objects.filter(study=study).order_by("pk")[4]
            with transaction.atomic():  # a person who answers another pair does not wait
                Pair.objects.select_for_update(nowait=True, of=("self",)).get(pk=beyond.pk)
            waits = threading.Thread(target=answer_locked)
            waits.start()
            wait_for(lambda: waiting_for_locks() == 1, "nobody waits for the step")
            go_on.set()
            waits.join(30)

        def answer_locked():
            try:
                answers.append(submit(early, first, study))
            finally:
                connection.close()

        outcomes = at_once(lambda: work.run(change.pk), answer_meanwhile)
        assert outcomes == [None, None]
        assert len(answers) == 1
        submit(late, second, study)
        assert after(change, "done").changed
        assert recounting.contradictions(study.pk) == {}

    def test_two_workers_on_one_row_change_each_pair_once(self):
        study = factories.study()
        factories.pairs(study, 40)
        researcher = factories.member(study, "researcher")
        slow = engine.claim(POLICY, order(study, researcher).pk)
        abandon(slow)
        quick = engine.claim(POLICY, slow.pk)
        outcomes = at_once(lambda: carry_out(slow), lambda: carry_out(quick))
        assert outcomes == [None, None]
        there = after(slow, "done")
        assert (there.steps, there.changed) == (40, 40)
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
            change = engine.claim(POLICY, order(study, researcher).pk)
            outcomes = at_once(lambda c=change: carry_out(c), lambda c=change, r=researcher: orders.cancel(c, actor=r))
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
        return reverse(f"catalog:{name}", args=[study.slug, *more])

    def text(self, answer):
        return " ".join(answer.content.decode().split())

    def test_a_large_change_is_shown_while_it_is_carried_out(self, client, study, seven, researcher):
        shown = client.get(self.address("change_pairs", study), self.CHOSEN)
        assert "You do not need to wait." in self.text(shown)
        answer = client.post(self.address("change_pairs", study), self.CHOSEN | {"seen": 0}, follow=True)
        change = PairsChange.objects.get()
        for page in (answer, client.get(self.address("change_pairs", study))):
            said = self.text(page)
            assert "Answers per pair: 3" in said
            assert f"Requested by {researcher.username}" in said
            assert "0 of 7 pairs" in said
            assert self.address("cancel_change", study, change.pk) in said
            assert "watching" in said
        begun(change, 2)
        told = client.get(self.address("change", study, change.pk)).json()
        assert (told["version"], told["how_far"], told["steps"], told["total"]) == ("running", "4 of 7 pairs", 4, 7)

    def test_another_one_is_refused_meanwhile(self, client, study, seven, researcher):
        seen = order(study, researcher).pk
        shown = client.get(self.address("change_pairs", study), self.CHOSEN | {"value": 5})
        assert "You can submit this one after it has ended" in self.text(shown)
        assert "Change 7 pairs" not in self.text(shown)
        answer = client.post(self.address("change_pairs", study), self.CHOSEN | {"value": 5, "seen": seen}, follow=True)
        assert "Another change of this study’s pairs is in progress." in self.text(answer)
        answer = client.post(self.address("batches", study), {"size": 3, "prompt_type": ""})
        assert (answer.status_code, "Another change of this study’s pairs" in self.text(answer)) == (400, True)

    def test_cancelled_it_says_what_came_of_it(self, client, study, seven, researcher):
        change = begun(order(study, researcher, batch=1), 2)
        answer = client.post(self.address("cancel_change", study, change.pk), follow=True)
        assert "Being cancelled" in self.text(answer)
        carry_out(change)
        said = self.text(client.get(self.address("batches", study)))
        assert "4 pairs were changed." in said
        assert "Which pairs: all pairs, including complete ones · Random sample: left out · Batch: 1" in said
        assert ">cancelled<" in said

    def test_one_that_failed_says_why_and_goes_on(self, client, study, seven, researcher, monkeypatch):
        change = failed_at_the_second_step(study, researcher, monkeypatch)
        said = self.text(client.get(self.address("batches", study)))
        assert f"{change.reason} 2 pairs were changed.".split("(")[0] in said
        monkeypatch.setattr(orders, "RIGHT_AWAY", 10)
        answer = client.post(self.address("resume_change", study, change.pk), follow=True)
        assert "7 pairs were changed." in self.text(answer)
        assert "Continue the change" not in self.text(answer)
        again = client.post(self.address("resume_change", study, change.pk), follow=True)
        assert "Only a failed change can be continued." in self.text(again)

    def test_batches_that_are_being_made_are_shown_too(self, client, study, seven):
        answer = client.post(self.address("batches", study), {"size": 3, "prompt_type": ""}, follow=True)
        said = self.text(answer)
        assert "Regroup into batches of 3" in said
        assert "The batches are not changed." in said
        work.run(PairsChange.objects.get().pk)
        assert "7 pairs moved to batches 2 to 4." in self.text(client.get(self.address("batches", study)))

    @pytest.mark.long
    def test_the_last_few_are_named(self, client, study, seven, researcher):
        for value in range(2, 9):
            work.run(order(study, researcher, PRIORITY, value).pk)
        said = self.text(client.get(self.address("change_pairs", study)))
        assert [value for value in range(2, 9) if f"Priority: {value} " in said] == [4, 5, 6, 7, 8]

    def test_a_change_of_another_study_is_not_there(self, client, study, seven):
        other = factories.study()
        factories.pair(other)
        change = order(other, factories.member(other, "researcher"))
        assert client.get(self.address("change", study, change.pk)).status_code == 404
        assert client.post(self.address("cancel_change", study, change.pk)).status_code == 404
        assert after(change, "waiting").created_at < timezone.now() + timedelta(minutes=1)
