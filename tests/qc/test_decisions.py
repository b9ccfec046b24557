"""Decide about a lot, reopen the decision, and what is asked again."""

import pytest

from accounts.models import AuditEvent
from annotation import serving
from annotation.models import Standing
from annotation.standings import change_standing
from catalog.models import Batch, Pair
from diptych.refusals import BadInput, Refused
from diptych.statistics.acceptance import Outcome
from qc import decisions, lots, quality
from qc.decisions import Wanted, decide, reopen
from qc.models import FrameItem, Lot, LotDecision
from tests import factories
from tests.annotation.test_concurrency import at_once
from tests.qc.reviewed import answered, in_review, judge

pytestmark = pytest.mark.django_db

ACCEPT = Wanted("accepted", "No defect in 9 of 10.")
RETURN = Wanted("returned", "Too many defects.", ask_again="all")


def batch_state():
    return Batch.objects.get(number=1).state


@pytest.fixture
def lot(study, researcher):
    """A lot of 10 answers with n = 9 and c = 0."""
    answered(study, pairs=10)
    return in_review(study, researcher)


class TestQuality:
    @pytest.mark.long
    def test_no_rate_is_shown_before_the_whole_sample_is_judged(self, lot):
        judge(lot, judged=8)
        found = quality.quality_of(lot)
        assert (found.deciding.left, found.outcome, found.complete) == (1, Outcome.OPEN, False)
        assert found.before is found.after is found.released is None

    def test_three_rates_with_intervals(self, lot):
        judge(lot)
        found = quality.quality_of(lot)
        assert found.outcome == Outcome.ACCEPT
        assert (found.after.estimate, found.after.low, found.after.high) == (0, 0, 1)
        assert (found.before.size, found.released.size) == (10, 10)

    @pytest.mark.long
    def test_a_return_can_be_early(self, lot):
        judge(lot, judged=3, defects=1)
        found = quality.quality_of(lot)
        assert (found.outcome, found.early, found.deciding.left) == (Outcome.RETURN, True, 6)

    @pytest.mark.long
    def test_lost_answers_are_fine_in_the_lower_bound_and_defective_in_the_upper(self, lot):
        judge(lot, lost=1)
        found = quality.quality_of(lot)
        assert (found.deciding.lost, found.deciding.judged, found.complete) == (1, 8, True)
        assert found.outcome == Outcome.OPEN
        assert (found.after.low, found.after.high) == (0, 2)

    @pytest.mark.long
    def test_a_judged_answer_that_is_withdrawn_later_stays_judged(self, lot):
        judge(lot, defects=1)
        FrameItem.objects.filter(lot=lot).update(lost="withdrawn")
        found = quality.quality_of(lot)
        assert (found.deciding.lost, found.deciding.defects) == (0, 1)

    @pytest.mark.long
    def test_the_counts_of_batches_add_up(self, study, researcher):
        for number in (1, 2):
            answered(study, pairs=6, batch=number)
        lot = in_review(study, researcher, 1, 2)
        judge(lot, defects=2)
        found = quality.quality_of(lot)
        assert sum(counts.drawn for counts in found.by_batch.values()) == found.deciding.drawn
        assert sum(counts.defects for counts in found.by_batch.values()) == 2

    @pytest.mark.long
    def test_lots_that_were_decided_against_their_plan_are_not_pooled(self, study, researcher):
        for number in (1, 2):
            answered(study, pairs=10, batch=number)
        followed, against = (in_review(study, researcher, number) for number in (1, 2))
        judge(followed)
        judge(against, defects=2)
        decide(followed, ACCEPT, actor=researcher)
        decide(against, Wanted("accepted", "Needed today.", against_plan=True), actor=researcher)
        found = quality.of_study(study)
        assert (found.pooled.lots, found.pooled.answers) == (1, 10)
        assert found.against_plan == (against,)


class TestDecide:
    def test_an_accepted_lot_accepts_its_batches(self, lot, researcher):
        judge(lot)
        assert decide(lot, ACCEPT, actor=researcher) is True
        assert (lot.state, batch_state()) == ("accepted", "accepted")
        decision = LotDecision.objects.get(lot=lot)
        assert decision.figures["quality"]["plan"] == {"size": 10, "sample": 9, "accept": 0}
        assert AuditEvent.objects.get(action="lot.accepted").after["reason"] == ACCEPT.reason
        assert decide(lot, ACCEPT, actor=researcher) is False

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"judged": 8}, "still to be judged"),
            ({"judged": 8, "disputed": 1}, "Disputed answers could change the outcome: 1"),
            ({"defects": 1}, "The plan has another result"),
        ],
    )
    def test_a_lot_is_not_accepted(self, lot, researcher, given, said):
        judge(lot, **given)
        with pytest.raises(Refused, match=said):
            decide(lot, ACCEPT, actor=researcher)
        assert batch_state() == "in_review"

    def test_a_person_may_decide_otherwise_and_says_so(self, lot, researcher):
        judge(lot, defects=1)
        decide(lot, Wanted("accepted", "The guideline was unclear.", against_plan=True), actor=researcher)
        assert lot.state == "accepted"

    def test_a_dispute_that_cannot_change_the_outcome_does_not_delay(self, lot, researcher):
        judge(lot, defects=1, judged=5, disputed=1)
        assert decide(lot, RETURN, actor=researcher)

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"outcome": "accepted", "reason": " "}, "reason"),
            ({"outcome": "accepted", "reason": "x" * 2001}, "reason"),
            ({"outcome": "returned", "reason": "x"}, "ask_again"),
            ({"outcome": "accepted", "reason": "x", "ask_again": "all"}, "ask_again"),
            ({"outcome": "returned", "reason": "x", "ask_again": "people"}, "people"),
            ({"outcome": "returned", "reason": "x", "ask_again": "all", "people": (1,)}, "people"),
        ],
    )
    def test_parts_that_do_not_fit_are_refused(self, values, field):
        with pytest.raises(BadInput) as refused:
            Wanted(**values)
        assert refused.value.field == field

    def test_pairs_that_still_need_answers_move_to_an_open_batch(self, study, lot, researcher):
        rejected = FrameItem.objects.filter(lot=lot).first().assignment
        change_standing(
            rejected.standing,
            actor=researcher,
            validity="invalid",
            reason="defect",
            counts=False,
            uncounted_reason="rejected",
        )
        judge(lot)
        decide(lot, ACCEPT, actor=researcher)
        pair = Pair.objects.get(pk=rejected.pair_id)
        assert (pair.batch.number, pair.batch.state) == (2, "open")
        assert LotDecision.objects.get().figures["moved_to_batch"] == 2
        other = factories.member(study, "annotator")
        assert serving.lease(other, study).current.pair_id == pair.pk

    def test_what_an_accepted_lot_released_is_not_in_a_later_frame(self, study, researcher, annotator):
        factories.pair(study, wanted=2)
        factories.pairs(study, 9)
        for _ in range(10):
            factories.answer(annotator, study)
        lot = in_review(study, researcher)
        judge(lot)
        decide(lot, ACCEPT, actor=researcher)
        factories.answer(factories.member(study, "annotator"), study)
        later = lots.put_together(study, [2], actor=researcher)
        lots.start(later, actor=researcher)
        assert later.frame_size == 1


@pytest.mark.long
class TestReturn:
    def test_all_answers_are_asked_again_and_the_batch_is_open(self, study, lot, researcher):
        judge(lot, defects=2)
        decide(lot, RETURN, actor=researcher)
        batch = Batch.objects.get(number=1)
        assert (lot.state, batch.state, batch.returned_at is None) == ("returned", "open", False)
        assert set(Standing.objects.values_list("counted", "uncounted_reason")) == {(False, "lot_returned")}
        assert Pair.objects.filter(open_slots=1).count() == 10
        assert serving.lease(factories.member(study, "annotator"), study).current is not None

    def test_only_named_people_are_asked_again(self, study, researcher):
        first, second = (factories.member(study, "annotator") for _ in range(2))
        answered(study, first, second, pairs=10)
        lot = in_review(study, researcher)
        judge(lot, defects=1)
        wanted = Wanted("returned", "Random clicks.", ask_again="people", people=(first.pk,))
        decide(lot, wanted, actor=researcher)
        stopped = Standing.objects.filter(counted=False).values_list("assignment__person", flat=True)
        assert list(stopped) == [first.pk] * 5
        assert LotDecision.objects.get().people == [first.pk]

    def test_people_without_answers_in_the_lot_are_refused(self, lot, researcher):
        judge(lot, defects=1)
        wanted = Wanted("returned", "x", ask_again="people", people=(researcher.pk,))
        with pytest.raises(BadInput, match="people who have answers in this lot"):
            decide(lot, wanted, actor=researcher)

    def test_the_defects_that_were_found_are_asked_again(self, lot, researcher):
        judge(lot, defects=2)
        decide(lot, Wanted("returned", "x", ask_again="defects"), actor=researcher)
        assert Standing.objects.filter(counted=False).count() == 2

    def test_its_next_attempt_has_the_same_batches_and_reviews_everything(self, study, researcher):
        for number in (1, 2):
            answered(study, pairs=5, batch=number)
        lot = in_review(study, researcher, 1, 2)
        judge(lot, defects=2)
        decide(lot, Wanted("returned", "x", ask_again="defects"), actor=researcher)
        study.secondary_share = 0.1
        study.save()
        with pytest.raises(Refused, match="choose just 1, 2"):
            lots.put_together(study, [1], actor=researcher)
        again = lots.put_together(study, [1, 2], actor=researcher)
        assert (again.attempt, again.previous) == (2, lot)
        someone = factories.member(study, "annotator")
        for _ in range(2):
            factories.answer(someone, study)
        lots.start(again, actor=researcher)
        assert (float(again.secondary_share), again.frame_size) == (1.0, 10)
        assert again.seed != lot.seed


class TestReopen:
    @pytest.mark.long
    def test_an_accepted_lot_is_in_review_again_with_its_sample(self, lot, researcher):
        judge(lot)
        decide(lot, ACCEPT, actor=researcher)
        assert reopen(lot, reason="A wrong verdict.", actor=researcher) is True
        assert (lot.state, lot.sample_size, batch_state()) == ("in_review", 9, "in_review")
        assert reopen(lot, reason="A wrong verdict.", actor=researcher) is False
        assert [one.outcome for one in LotDecision.objects.order_by("pk")] == ["accepted", "reopened"]

    @pytest.mark.long
    def test_a_return_that_nobody_worked_on_is_taken_back(self, lot, researcher):
        judge(lot, defects=1)
        decide(lot, RETURN, actor=researcher)
        reopen(lot, reason="The defect was none.", actor=researcher)
        assert batch_state() == "in_review"
        assert not Standing.objects.filter(counted=False).exists()
        assert not Pair.objects.filter(open_slots=1).exists()

    @pytest.mark.long
    def test_a_return_that_people_work_on_stands(self, study, lot, researcher):
        judge(lot, defects=1)
        decide(lot, RETURN, actor=researcher)
        serving.lease(factories.member(study, "annotator"), study)
        with pytest.raises(Refused, match="People are already answering"):
            reopen(lot, reason="x", actor=researcher)
        assert Lot.objects.get().state == "returned"

    @pytest.mark.long
    def test_a_lot_with_a_next_attempt_stands(self, study, lot, researcher):
        judge(lot, defects=1)
        decide(lot, RETURN, actor=researcher)
        lots.put_together(study, [1], actor=researcher)
        with pytest.raises(Refused, match="Lot 2 is already the next attempt"):
            reopen(lot, reason="x", actor=researcher)

    def test_a_draft_cannot_be_reopened_or_decided(self, study, researcher):
        factories.batch(study)
        lot = lots.put_together(study, [1], actor=researcher)
        with pytest.raises(Refused, match="not decided"):
            reopen(lot, reason="x", actor=researcher)
        with pytest.raises(Refused, match="This lot is draft"):
            decide(lot, RETURN, actor=researcher)


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_of_two_opposite_decisions_at_once_one_stands(study, researcher):
    answered(study, pairs=10)
    lot = in_review(study, researcher)
    judge(lot)

    def decided(wanted):
        return lambda: decide(Lot.objects.get(pk=lot.pk), wanted, actor=researcher)

    against = Wanted("returned", "x", ask_again="all", against_plan=True)
    results = at_once(decided(ACCEPT), decided(against))
    assert sorted(type(result).__name__ for result in results) == ["Refused", "bool"]
    assert LotDecision.objects.count() == 1


@pytest.mark.long
def test_people_of_a_lot_are_listed_with_most_defects_first(study, researcher):
    first, second = (factories.member(study, "annotator") for _ in range(2))
    answered(study, first, second, pairs=10)
    lot = in_review(study, researcher)
    judge(lot, defects=2)
    rows = decisions.people_of(lot)
    assert sum(row.defects for row in rows) == 2
    assert [row.answers for row in rows] == [5, 5]
    assert rows[0].defects >= rows[1].defects
