"""Pause rules: people are judged at 50, 100, 200 items and never in between, and a person ends a pause."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from annotation import serving
from annotation.models import Seat, Standing
from diptych.refusals import BadInput
from diptych.statistics.rates import share_between
from findings import switches
from qc.models import Review, Verdict
from suspensions import pausing
from suspensions.models import Pause, PauseJudgement, PauseRule
from suspensions.pausing import Limit
from tests import factories
from tests.annotation.test_concurrency import at_once
from tests.controls.made import control_of, results
from tests.qc.many_answers import give, review_blind

pytestmark = pytest.mark.django_db

TENTH = Limit(Decimal("0.1"))


@pytest.fixture
def admin(study):
    return factories.member(study, "admin")


def rule(study, admin, figure="contradictions", limit=TENTH):
    pausing.set_rules(study, {figure: limit}, actor=admin)


class TestRules:
    def test_they_are_set_changed_and_removed(self, study, admin):
        assert pausing.set_rules(study, {"contradictions": TENTH, "too_fast": TENTH}, actor=admin)
        assert not pausing.set_rules(study, {"contradictions": TENTH, "too_fast": TENTH}, actor=admin)
        assert pausing.set_rules(study, {"contradictions": Limit(Decimal("0.2"), 100)}, actor=admin)
        there = PauseRule.objects.get(study=study)
        assert (there.figure, there.threshold, there.least) == ("contradictions", Decimal("0.2"), 100)
        event = AuditEvent.objects.filter(action="pause_rules.changed").latest("pk")
        assert event.before["too_fast"] == {"threshold": "0.100", "least": 50}

    @pytest.mark.parametrize("values", [("0",), ("1",), ("0.1", 60), ("0.1", 800)])
    def test_values_out_of_range_are_refused(self, values):
        with pytest.raises(BadInput):
            Limit(Decimal(values[0]), *values[1:])


class TestJudging:
    @pytest.mark.parametrize(
        ("items", "least", "last", "due"),
        [
            *((49, 50, 0, 0), (50, 50, 0, 50), (99, 50, 0, 50), (99, 50, 50, 0), (100, 50, 50, 100)),
            *((230, 50, 0, 200), (199, 200, 0, 0), (200, 200, 100, 200), (7000, 50, 6400, 0)),
        ],
    )
    def test_only_at_these_numbers_of_items(self, items, least, last, due):
        assert pausing.due_at(items, least, last) == due

    def test_a_person_beyond_the_threshold_is_paused_at_50_answers(self, study, annotator, admin):
        rule(study, admin)
        give(annotator, study, 49, contradictory=12)
        assert pausing.judge_all() == 0
        give(annotator, study, 1)
        assert pausing.judge_all() == 1
        judgement = PauseJudgement.objects.get()
        assert (judgement.items, judgement.hits, judgement.beyond) == (50, 12, True)
        assert (judgement.low, judgement.high) == share_between(12, 50)
        assert judgement.low > 0.1
        factories.pair(study)
        assert serving.lease(annotator, study).reason == "work_paused"
        event = AuditEvent.objects.get(action="person.paused")
        assert (event.actor, event.after["figure"], event.after["threshold"]) == (None, "contradictions", "0.100")

    def test_a_share_above_the_threshold_is_not_enough_if_chance_explains_it(self, study, annotator, admin):
        rule(study, admin)
        give(annotator, study, 50, contradictory=8)  # 16 %, and the interval begins at 7 %
        pausing.judge_all()
        assert not PauseJudgement.objects.get().beyond
        assert not Pause.objects.exists()

    def test_later_items_change_nothing_before_the_next_number(self, study, annotator, admin):
        rule(study, admin)
        give(annotator, study, 50)
        pausing.judge_all()
        give(annotator, study, 49, contradictory=49)
        assert pausing.judge_all() == 0
        give(annotator, study, 1)
        assert pausing.judge_all() == 1
        assert PauseJudgement.objects.latest("pk").hits == 49

    def test_what_is_judged_does_not_depend_on_when(self, study, annotator, admin):
        give(annotator, study, 60, contradictory=3)
        give(annotator, study, 30, contradictory=30)
        rule(study, admin)
        pausing.judge_all()
        assert (PauseJudgement.objects.get().items, PauseJudgement.objects.get().hits) == (50, 3)

    def test_the_current_pair_can_be_finished(self, study, annotator, admin):
        rule(study, admin)
        factories.pairs(study, 3)
        current = serving.lease(annotator, study).current
        give(annotator, study, 50, contradictory=25)
        pausing.judge_all()
        assert serving.lease(annotator, study).current == current
        factories.answer(annotator, study)
        assert Standing.objects.get(assignment=current).counted
        assert serving.lease(annotator, study).reason == "work_paused"

    @pytest.mark.long
    def test_fast_answers_wait_until_the_rules_have_checked_them(self, study, annotator, admin):
        rule(study, admin, "too_fast")
        give(annotator, study, 50, fast=20)
        Standing.objects.filter(pk=Standing.objects.earliest("pk").pk).update(rules_due=True)
        assert pausing.judge_all() == 0
        Standing.objects.update(rules_due=False)
        assert pausing.judge_all() == 1
        assert PauseJudgement.objects.get().hits == 20
        assert Pause.objects.exists()

    def test_without_the_rule_about_time_nobody_is_judged_by_it(self, study, annotator, admin):
        seen = switches.as_seen(switches.rules_of(study))
        on = [code for code in seen["on"] if code != "faster_than_videos"]
        switches.change_rules(study, **seen | {"on": on}, seen=seen, actor=admin)
        rule(study, admin, "too_fast")
        give(annotator, study, 50)
        assert pausing.judge_all() == 0

    def test_blind_reviews(self, study, annotator, admin):
        rule(study, admin, "blind", Limit(Decimal("0.9")))
        review_blind(give(annotator, study, 51), defects=12, waiting=1)
        assert pausing.judge_all() == 1
        judgement = PauseJudgement.objects.get()
        assert (judgement.items, judgement.hits, judgement.beyond) == (50, 38, True)
        assert judgement.high < 0.9

    @pytest.mark.long
    def test_after_the_first_time_only_people_of_whom_something_is_new_are_looked_at(self, study, annotator, admin):
        rule(study, admin, "blind", Limit(Decimal("0.9")))
        other = factories.member(study, "annotator")
        lot = review_blind(give(other, study, 50) + give(annotator, study, 50), waiting=1)
        assert pausing.judge_all() == 1
        assert PauseJudgement.objects.get().person == other
        Review.objects.filter(lot=lot).update(ended_at=timezone.now() - timedelta(days=1))
        Verdict.objects.filter(item__lot=lot).update(waits_for="", counts=False)
        assert pausing.judge_all() == 0  # nothing says so yet
        item = lot.items.filter(assignment__person=annotator).first()
        factories.review(item, reviewer=factories.reviewer(study), kind="confirm", state="submitted")
        assert pausing.judge_all() == 1

    @pytest.mark.long
    def test_a_changed_rule_looks_at_everybody(self, study, annotator, admin):
        rule(study, admin, "blind", Limit(Decimal("0.9"), 100))
        lot = review_blind(give(annotator, study, 50))
        assert pausing.judge_all() == 0
        Review.objects.filter(lot=lot).update(ended_at=timezone.now() - timedelta(days=1))
        rule(study, admin, "blind", Limit(Decimal("0.9")))
        assert pausing.judge_all() == 1

    def test_the_look_here_queue_measures_nothing(self, study, annotator, admin):
        rule(study, admin, "blind", Limit(Decimal("0.9")))
        review_blind(give(annotator, study, 50), defects=50, kind="look")
        assert pausing.judge_all() == 0

    def test_verdicts_that_wait_are_not_items(self, study, annotator, admin):
        rule(study, admin, "blind", Limit(Decimal("0.9")))
        review_blind(give(annotator, study, 50), waiting=1)
        assert pausing.judge_all() == 0

    @pytest.mark.long
    def test_controls_of_one_kind(self, study, annotator, admin):
        rule(study, admin, "consensus_repeat", Limit(Decimal("0.83")))
        factories.pair(study)
        control = control_of(study, factories.pair(study))
        results(control, annotator, [True] * 30 + [False] * 20 + [True] * 49)
        assert pausing.judge_all() == 1
        judgement = PauseJudgement.objects.get()
        assert (judgement.items, judgement.hits, judgement.beyond) == (50, 30, True)
        assert pausing.judge_all() == 0
        results(control, annotator, [True])
        assert pausing.judge_all() == 1
        assert PauseJudgement.objects.latest("pk").items == 100

    def test_a_study_without_rules_judges_nobody(self, study, annotator):
        give(annotator, study, 50, contradictory=50)
        assert pausing.judge_all() == 0


class TestEnding:
    @pytest.fixture
    def pause(self, study, annotator, admin):
        rule(study, admin)
        give(annotator, study, 50, contradictory=25)
        pausing.judge_all()
        return Pause.objects.get()

    def test_somebody_ends_it_with_a_reason_and_the_person_goes_on(self, pause, study, annotator, admin):
        with pytest.raises(BadInput):
            pausing.end(pause, why=" ", actor=admin)
        assert pausing.end(pause, why="We talked about tags.", actor=admin)
        assert not pausing.end(pause, why="Once more.", actor=admin)
        factories.pair(study)
        assert serving.lease(annotator, study).current
        assert AuditEvent.objects.get(action="person.pause_ended").after["reason"] == "We talked about tags."
        assert pausing.judge_all() == 0
        assert Seat.objects.get(person=annotator).paused_at is None

    @pytest.mark.long
    def test_they_are_judged_again_at_the_next_number(self, pause, study, annotator, admin):
        pausing.end(pause, why="We talked.", actor=admin)
        give(annotator, study, 50)
        pausing.judge_all()
        assert Pause.objects.filter(ended_at=None).count() == 1
        assert PauseJudgement.objects.latest("pk").items == 100

    def test_a_paused_person_is_judged_but_not_paused_twice(self, pause, study, annotator, admin):
        give(annotator, study, 50, contradictory=50)
        assert pausing.judge_all() == 1
        assert Pause.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_judge_somebody_once(study, annotator, admin):
    rule(study, admin)
    give(annotator, study, 50, contradictory=25)
    results = at_once(*[pausing.judge_all] * 3)
    assert sorted(results) == [0, 0, 1]
    assert Pause.objects.count() == 1
