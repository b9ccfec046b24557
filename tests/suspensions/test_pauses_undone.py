"""A wrong control is withdrawn: what rested on it no longer holds, and people are judged again without it."""

from decimal import Decimal
from threading import Event

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from annotation import serving
from annotation.models import Seat
from answers import my_work
from controls import figures, withdrawing
from controls.models import Control
from suspensions import pause_figures, pauses_undone, pausing
from suspensions.models import Pause, PauseJudgement, UndoneJudgement
from suspensions.pausing import Limit
from suspensions.tasks import judge_people
from tests import factories
from tests.annotation.test_concurrency import Beside, at_once
from tests.controls.made import control_of, results
from tests.web import wait_for

pytestmark = pytest.mark.django_db

KIND = "consensus_repeat"


@pytest.fixture
def admin(study):
    return factories.member(study, "admin")


@pytest.fixture
def rule(study, admin):
    pausing.set_rules(study, {KIND: Limit(Decimal("0.83"))}, actor=admin)


@pytest.fixture
def wrong(study):
    return control_of(study, factories.pair(study))


@pytest.fixture
def good(study):
    return control_of(study, factories.pair(study))


def judged(wrong, good, person, *, wrongly=1, of_good):
    """Let the person answer the wrong control as not expected, and then good ones. Judge them."""
    results(wrong, person, [False] * wrongly)
    results(good, person, of_good)
    judge_people()


def withdraw(control, actor):
    return withdrawing.withdraw(Control.objects.get(pk=control.pk), because="The trio was wrong.", actor=actor)


def paused(person):
    return Seat.objects.get(person=person).paused_at is not None


@pytest.mark.long
class TestPauses:
    def test_a_pause_that_rested_on_it_ends_and_the_person_gets_pairs(self, rule, wrong, good, study, annotator, admin):
        judged(wrong, good, annotator, wrongly=20, of_good=[True] * 30)  # 30 of 50, and without it none is wrong
        assert paused(annotator)
        withdraw(wrong, admin)
        judge_people()
        assert not paused(annotator)
        pause = Pause.objects.get()
        assert (pause.ended_by, pause.ended_because) == (admin, "The trio was wrong.")
        event = AuditEvent.objects.get(action="person.pause_ended")
        assert event.after["control_withdrawn"] == wrong.pk
        factories.pair(study)
        assert serving.lease(annotator, study).current

    def test_whoever_is_beyond_the_threshold_without_it_stays_paused(self, rule, wrong, good, study, annotator, admin):
        judged(wrong, good, annotator, of_good=[True] * 29 + [False] * 21)
        first = Pause.objects.get()
        withdraw(wrong, admin)
        judge_people()
        assert paused(annotator)
        first.refresh_from_db()
        second = Pause.objects.get(ended_at=None)
        assert first.ended_at is not None
        assert (second.judgement.items, second.judgement.hits, second.judgement.attempt) == (50, 29, 1)
        assert first.judgement.hits == 29
        assert first.judgement.items == 50
        assert pauses_undone.lines(annotator, [study]) == {}

    def test_too_few_results_are_left_so_they_are_judged_when_they_have_50_again(
        self, rule, wrong, good, study, annotator, admin
    ):
        judged(wrong, good, annotator, of_good=[True] * 28 + [False] * 21)
        withdraw(wrong, admin)
        judge_people()
        assert not paused(annotator)
        results(good, annotator, [False])
        judge_people()
        assert paused(annotator)
        assert Pause.objects.get(ended_at=None).judgement.hits == 28

    def test_a_judgement_that_ended_before_it_stays(self, rule, wrong, good, study, annotator, admin):
        results(good, annotator, [True] * 30 + [False] * 20)
        results(wrong, annotator, [False], later_s=60)  # the 51st
        judge_people()
        withdraw(wrong, admin)
        judge_people()
        assert not UndoneJudgement.objects.exists()
        assert paused(annotator)

    def test_a_judgement_within_the_threshold_is_made_again_too(self, rule, wrong, good, study, annotator, admin):
        judged(wrong, good, annotator, of_good=[True] * 50)
        withdraw(wrong, admin)
        judge_people()
        assert list(PauseJudgement.objects.order_by("pk").values_list("hits", "attempt")) == [(49, 0), (50, 1)]

    def test_without_a_rule_the_pause_ends(self, rule, wrong, good, study, annotator, admin):
        judged(wrong, good, annotator, of_good=[False] * 49)
        pausing.set_rules(study, {}, actor=admin)
        withdraw(wrong, admin)
        judge_people()
        assert not paused(annotator)

    def test_pauses_for_other_reasons_stay(self, rule, wrong, study, annotator, admin):
        results(wrong, annotator, [False])
        factories.pause(study, annotator)
        withdraw(wrong, admin)
        judge_people()
        assert paused(annotator)

    def test_alarms_and_figures_leave_it_out_at_once(self, wrong, good, study, annotator, admin):
        results(wrong, annotator, [False] * 15)
        results(good, annotator, [True] * 20)
        before = figures.figures_of(study)[annotator.pk][KIND]
        withdraw(wrong, admin)
        after = figures.figures_of(study)[annotator.pk][KIND]
        assert (before.alarm, after.alarm) == (figures.RANDOM_CLICKING, "")
        assert (after.n, after.right) == (20, 20)


@pytest.mark.long
class TestTelling:
    @pytest.fixture
    def withdrawn(self, rule, wrong, good, study, annotator, admin):
        judged(wrong, good, annotator, wrongly=20, of_good=[True] * 30)
        withdraw(wrong, admin)
        judge_people()

    def test_the_person_reads_it_in_my_work_and_on_the_home_page(self, wrong, client, study, annotator, admin):
        judgement = factories.judgement(study, annotator, figure=KIND)
        ended = {"ended_at": timezone.now(), "ended_by": admin, "ended_because": "The trio was wrong."}
        factories.pause(study, annotator, judgement=judgement, **ended)
        UndoneJudgement.objects.create(study=study, judgement=judgement, control=wrong, kind=KIND)
        client.force_login(annotator)
        for address in (reverse("answers:my_work", args=[study.slug]), "/?all"):
            assert "Your pause has ended" in client.get(address).content.decode()
        other = factories.member(study, "annotator")
        assert [notice(other, study) for notice in my_work.notices] == [""]

    def test_quality_control_reads_it_on_the_page_of_pauses_and_in_the_file(
        self, withdrawn, client, admin, study, wrong
    ):
        client.force_login(admin)
        page = client.get(reverse("suspensions:pauses", args=[study.slug])).content.decode()
        assert "no longer holds" in page
        assert "The trio was wrong." in page
        lines = b"".join(client.get(reverse("suspensions:pauses_csv", args=[study.slug]))).decode().splitlines()
        assert lines[0].endswith("control_withdrawn")
        assert lines[1].endswith(f",{wrong.pk}")
        found = client.get(f"/api/v1/studies/{study.slug}/pauses/").json()["judgements"]
        assert found[0]["control_withdrawn"] == wrong.pk

    def test_whoever_withdraws_it_reads_how_many_pauses_rested_on_it(
        self, rule, wrong, good, client, study, annotator, admin
    ):
        judged(wrong, good, annotator, of_good=[False] * 49)
        client.force_login(admin)
        address = reverse("controls:withdraw_control", args=[study.slug, wrong.pk])
        page = client.post(address, {"because": "Wrong."}, follow=True).content.decode()
        assert "1 pause rested on it" in page


class TestCalibration:
    @pytest.mark.long
    def test_a_control_cannot_be_discussed(self, wrong, study, admin):
        from calibration import preparing
        from diptych.refusals import BadInput

        session = preparing.make(study, topic="Tags", actor=admin)
        with pytest.raises(BadInput, match="has no pair"):
            preparing.add(session, pairs=[wrong.pair.public_id], actor=admin)


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_a_judgement_waits_for_a_withdrawal_and_leaves_the_control_out(
        self, rule, wrong, good, study, annotator, admin
    ):
        results(wrong, annotator, [False])
        results(good, annotator, [True] * 29 + [False] * 20)
        with transaction.atomic():
            withdraw(wrong, admin)
            judging = Beside(pausing.judge_all)
            wait_for(judging.waits_for_a_lock, "it did not wait")
        judging.join()
        assert judging.outcome == 0  # 49 results are left
        assert not PauseJudgement.objects.exists()

    def test_a_withdrawal_waits_for_a_judgement_and_undoes_it(
        self, rule, wrong, good, study, annotator, admin, monkeypatch
    ):
        results(wrong, annotator, [False])
        results(good, annotator, [True] * 29 + [False] * 20)
        held, go_on = Event(), Event()
        usual = pause_figures.first_held

        def slowly(*arguments):
            found = usual(*arguments)
            held.set()
            go_on.wait(20)
            return found

        monkeypatch.setattr(pause_figures, "first_held", slowly)
        judging = Beside(pausing.judge_all)
        assert held.wait(20)
        withdrawal = Beside(lambda: withdraw(wrong, admin))
        wait_for(withdrawal.waits_for_a_lock, "it did not wait")
        go_on.set()
        judging.join()
        withdrawal.join()
        assert judging.outcome == 1
        assert UndoneJudgement.objects.get().judgement == PauseJudgement.objects.get()
        assert pauses_undone.reconsider_all() == 1
        assert not paused(annotator)

    def test_two_workers_reconsider_a_pause_once(self, rule, wrong, good, study, annotator, admin):
        judged(wrong, good, annotator, of_good=[True] * 29 + [False] * 21)
        withdraw(wrong, admin)
        assert sorted(at_once(*[pauses_undone.reconsider_all] * 3)) == [0, 0, 1]
        assert Pause.objects.filter(ended_at=None).count() == 1
        assert PauseJudgement.objects.count() == 2

    def test_an_admin_who_ends_the_pause_at_the_same_moment(self, rule, wrong, good, study, annotator, admin):
        judged(wrong, good, annotator, of_good=[False] * 49)
        withdraw(wrong, admin)
        pause = Pause.objects.get()
        at_once(pauses_undone.reconsider_all, lambda: pausing.end(pause, why="We talked.", actor=admin))
        assert AuditEvent.objects.filter(action="person.pause_ended").count() == 1
        assert not paused(annotator)
