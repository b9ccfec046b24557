"""Suspend a person: leases end, chosen answers are returned, lots in review lose them, and all of it can be undone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from annotation import leases, serving, takers
from annotation.models import Assignment, Seat, Standing
from catalog.models import Batch, Pair
from diptych.refusals import BadInput, Refused
from jobs import engine
from qc import decisions
from qc.decisions import Wanted
from qc.models import FrameItem
from suspensions import suspending, suspension_work
from suspensions.models import SuspendedAnswer, Suspension
from suspensions.suspending import Choice
from tests import factories
from tests.annotation.recounting import contradictions
from tests.annotation.test_concurrency import at_once, submit
from tests.annotation.test_revisions import revise
from tests.qc.reviewed import answered, in_review, judge

pytestmark = pytest.mark.django_db

ALL = Choice("all")


@pytest.fixture
def admin(study):
    return factories.member(study, "admin")


def suspend(person, study, actor, choice=ALL, why="Random clicks."):
    return suspending.suspend(person, study, choice, why=why, actor=actor)


def lift(suspension, actor, *, restore=True):
    return suspending.lift(suspension, why="It was a mistake.", restore=restore, actor=actor)


def counting(person):
    rows = Standing.objects.filter(assignment__person=person).order_by("pk")
    return [(standing.counted, standing.uncounted_reason) for standing in rows]


class TestSuspend:
    def test_leases_end_and_no_pair_is_served_until_it_is_lifted(self, study, annotator, admin):
        pairs = factories.pairs(study, 3)
        serving.lease(annotator, study)
        suspension = suspend(annotator, study, admin)
        assert (suspension.state, suspension.leases_ended) == ("done", 2)
        assert serving.lease(annotator, study).reason == "suspended"
        assert set(Pair.objects.values_list("open_slots", flat=True)) == {1}
        lift(suspension, admin)
        assert serving.lease(annotator, study).current.pair_id == pairs[0].pk

    @pytest.mark.long
    def test_the_list_of_studies_says_so_until_it_is_lifted(self, study, annotator, admin, browser_client):
        def home():
            return browser_client(annotator).get("/", {"all": 1}).content.decode()

        suspension = suspend(annotator, study, admin)
        assert "Your work in this study is suspended" in home()
        lift(suspension, admin)
        assert "Your work in this study is suspended" not in home()

    def test_all_answers_are_returned_and_somebody_else_is_asked(self, study, annotator, admin):
        answered(study, annotator, pairs=3)
        leases.complete_batches()
        assert Batch.objects.get().state == "annotated"
        suspend(annotator, study, admin)
        assert counting(annotator) == [(False, "suspended")] * 3
        assert set(Standing.objects.values_list("validity", flat=True)) == {"valid"}
        assert Batch.objects.get().state == "open"
        other = factories.member(study, "annotator")
        assert serving.lease(other, study).current is not None
        events = AuditEvent.objects.filter(action="annotation.standing", after__uncounted_reason="suspended")
        assert (events.count(), {event.actor for event in events}) == (3, {admin})
        assert contradictions(study.pk) == {}

    def test_answers_since_a_moment(self, study, annotator, admin):
        answered(study, annotator, pairs=3)
        first = Assignment.objects.earliest("pk")
        Assignment.objects.filter(pk=first.pk).update(ended_at=timezone.now() - timedelta(days=2))
        choice = Choice("since", since=timezone.now() - timedelta(days=1))
        assert suspending.preview(annotator, study, choice).asked_again == 2
        suspend(annotator, study, admin, choice)
        assert counting(annotator) == [(True, ""), (False, "suspended"), (False, "suspended")]

    def test_no_answers(self, study, annotator, admin):
        answered(study, annotator, pairs=2)
        suspend(annotator, study, admin, Choice())
        assert counting(annotator) == [(True, "")] * 2

    def test_a_late_answer_is_kept_and_does_not_count(self, study, annotator, admin):
        factories.pair(study)
        current = serving.lease(annotator, study).current
        suspend(annotator, study, admin)
        stored = submit(current, annotator, study)
        assert (stored.standing.counted, stored.standing.uncounted_reason) == (False, "surplus_suspended")
        assert Pair.objects.get().open_slots == 1

    def test_it_needs_a_reason(self, study, annotator, admin):
        for why in (" ", "x" * 2001):
            with pytest.raises(BadInput):
                suspend(annotator, study, admin, why=why)
        assert serving.lease(annotator, study).reason != "suspended"

    @pytest.mark.parametrize("values", [("odd",), ("since",), ("all", timezone.now())])
    def test_parts_that_do_not_fit_are_refused(self, values):
        with pytest.raises(BadInput):
            Choice(*values)

    def test_twice_the_same_is_one_suspension_and_another_choice_is_refused(self, study, annotator, admin):
        first = suspend(annotator, study, admin)
        assert suspend(annotator, study, admin) == first
        with pytest.raises(Refused, match="already suspended"):
            suspend(annotator, study, admin, Choice())

    def test_a_suspended_person_may_take_no_pair_so_reviews_start_without_them(self, study, annotator, admin):
        factories.pair(study)
        assert takers.left_pairs([factories.batch(study).pk]) == []
        suspend(annotator, study, admin)
        assert len(takers.left_pairs([factories.batch(study).pk])) == 1

    def test_answers_can_no_longer_be_changed(self, study, annotator, admin):
        answered(study, annotator, pairs=1)
        suspend(annotator, study, admin, Choice())
        with pytest.raises(Refused, match="suspended"):
            revise(Assignment.objects.get())


class TestLots:
    def test_the_frame_of_a_lot_in_review_loses_them(self, study, annotator, admin, researcher):
        other = factories.member(study, "annotator")
        answered(study, annotator, other, pairs=10)
        lot = in_review(study, researcher)
        before = suspending.preview(annotator, study, Choice("lot", lot=lot))
        assert (before.asked_again, before.in_review, before.lots) == (0, 5, {lot.number: 5})
        suspension = suspend(annotator, study, admin, Choice("lot", lot=lot))
        lost = FrameItem.objects.filter(lot=lot, lost="withdrawn")
        assert set(lost.values_list("assignment__person", flat=True)) == {annotator.pk}
        assert lost.count() == 5
        lift(suspension, admin)
        assert not FrameItem.objects.filter(lot=lot).exclude(lost="").exists()
        assert counting(annotator) == [(True, "")] * 5

    def test_answers_that_an_accepted_lot_released_stay(self, study, annotator, admin, researcher):
        answered(study, annotator, pairs=10)
        lot = in_review(study, researcher)
        judge(lot)
        decisions.decide(lot, Wanted("accepted", "No defect."), actor=researcher)
        found = suspending.preview(annotator, study, ALL)
        assert (found.returned, found.released) == (0, 10)
        suspend(annotator, study, admin)
        assert counting(annotator) == [(True, "")] * 10

    def test_the_lots_of_a_person(self, study, annotator, researcher):
        answered(study, annotator, pairs=10)
        lot = in_review(study, researcher)
        assert suspending.lots_with_answers(study, annotator) == [lot]
        assert suspending.lots_with_answers(study, factories.member(study, "annotator")) == []


class TestLift:
    def test_answers_count_again_where_the_slot_is_free(self, study, annotator, admin):
        answered(study, annotator, pairs=3)
        suspension = suspend(annotator, study, admin)
        other = factories.member(study, "annotator")
        taken = factories.answer(other, study).pair_id
        decided = Standing.objects.filter(assignment__person=annotator).exclude(assignment__pair=taken).first()
        Standing.objects.filter(pk=decided.pk).update(uncounted_reason="rejected")
        suspension = lift(suspension, admin)
        outcomes = dict(SuspendedAnswer.objects.values_list("assignment__pair", "outcome"))
        assert outcomes[taken] == "taken"
        assert outcomes[decided.assignment.pair_id] == "decided"
        assert sorted(outcomes.values()) == ["decided", "restored", "taken"]
        assert sorted(counting(annotator)) == [(False, "rejected"), (False, "surplus"), (True, "")]
        assert contradictions(study.pk) == {}
        event = AuditEvent.objects.get(action="person.answers_restored")
        assert (event.after["restored"], event.after["taken"], event.after["decided"]) == (1, 1, 1)

    def test_without_restoring(self, study, annotator, admin):
        answered(study, annotator, pairs=2)
        suspension = lift(suspend(annotator, study, admin), admin, restore=False)
        assert (suspension.state, suspension.lifting) == ("done", False)
        assert counting(annotator) == [(False, "suspended")] * 2
        assert serving.lease(annotator, study).reason == "finished"  # they have had both pairs

    def test_twice_the_same_changes_nothing(self, study, annotator, admin):
        answered(study, annotator, pairs=1)
        suspension = lift(suspend(annotator, study, admin), admin)
        assert lift(suspension, admin).lifted_at == suspension.lifted_at
        assert AuditEvent.objects.filter(action="person.suspension_lifted").count() == 1

    def test_somebody_can_be_suspended_again(self, study, annotator, admin):
        answered(study, annotator, pairs=2)
        lift(suspend(annotator, study, admin), admin)
        again = suspend(annotator, study, admin)
        assert again.answers.count() == 2
        assert Suspension.objects.count() == 2

    def test_a_complete_batch_is_annotated_again(self, study, annotator, admin, django_capture_on_commit_callbacks):
        answered(study, annotator, pairs=2)
        leases.complete_batches()
        suspension = suspend(annotator, study, admin)
        assert Batch.objects.get().state == "open"
        with django_capture_on_commit_callbacks(execute=True):
            lift(suspension, admin)
        assert Batch.objects.get().state == "annotated"


class TestTheJob:
    @pytest.fixture
    def ordered(self, study, annotator, admin, monkeypatch):
        """A suspension of five answers that no worker has begun, which takes three steps."""
        answered(study, annotator, pairs=5)
        monkeypatch.setattr(suspending, "RIGHT_AWAY", -1)
        monkeypatch.setattr(suspension_work, "A_STEP", 2)
        return suspend(annotator, study, admin)

    @pytest.mark.long
    def test_a_worker_that_is_killed_loses_one_step(self, ordered, annotator):
        assert ordered.state == "waiting"
        killed = engine.claim(suspension_work.POLICY, ordered.pk)
        suspension_work.step(killed)
        assert counting(annotator).count((False, "suspended")) == 2
        Suspension.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=5))
        suspension_work.run(ordered.pk)
        ordered.refresh_from_db()
        assert (ordered.state, ordered.steps) == ("done", 5)
        assert counting(annotator) == [(False, "suspended")] * 5
        assert ordered.answers.count() == 5
        with pytest.raises(engine.TakenOver):
            suspension_work.step(killed)

    def test_it_can_be_cancelled_and_continued(self, ordered, admin, annotator):
        with pytest.raises(Refused, match="still being taken out"):
            lift(ordered, admin)
        suspending.cancel(ordered, actor=admin)
        ordered.refresh_from_db()
        assert ordered.state == "cancelled"
        suspending.resume(ordered, actor=admin)
        suspension_work.run(ordered.pk)
        assert counting(annotator) == [(False, "suspended")] * 5
        with pytest.raises(Refused, match="nothing to continue"):
            suspending.resume(ordered, actor=admin)

    def test_a_study_carries_out_one_at_a_time(self, ordered, study, admin):
        another = factories.member(study, "annotator")
        with pytest.raises(Refused, match="Another suspension"):
            suspend(another, study, admin)
        assert Seat.objects.get(person=another).suspended_at is None


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_an_answer_and_a_suspension_at_once_leave_no_counted_answer(study, annotator, admin):
    factories.pairs(study, 2)
    current = serving.lease(annotator, study).current
    results = at_once(
        lambda: submit(current, annotator, study),
        lambda: suspend(annotator, study, admin),
        lambda: suspend(annotator, study, admin),
    )
    assert not [result for result in results if isinstance(result, Exception)]
    assert Suspension.objects.count() == 1
    assert counting(annotator) in ([(False, "suspended")], [(False, "surplus_suspended")])
    assert contradictions(study.pk) == {}
