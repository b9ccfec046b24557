"""Put batches together, start the review, and freeze the answers."""

import hashlib

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AuditEvent
from annotation import leases, serving
from annotation.standings import change_standing
from catalog import batches
from catalog.models import Batch, Pair
from catalog.pair_changes import orders
from diptych.refusals import BadInput, Refused
from qc import frames, lots
from qc.decisions import Wanted, decide
from qc.deletion import delete_own_rows
from qc.models import FrameItem, Lot, LotBatch
from safety import quarantine
from safety.models import Quarantine
from studies.models import Study
from tests import factories
from tests.annotation.test_concurrency import at_once
from tests.qc.reviewed import answered, in_review, places

pytestmark = pytest.mark.django_db


class TestPutTogether:
    def test_batches_become_a_draft_lot(self, study, researcher):
        answered(study, pairs=2, batch=1)
        answered(study, pairs=2, batch=2)
        lot = lots.put_together(study, [1, 2], actor=researcher)
        assert (lot.number, lot.attempt, lot.state) == (1, 1, "draft")
        assert [batch.number for batch in lots.batches_of(lot)] == [1, 2]
        assert AuditEvent.objects.get(action="lot.put_together").after["batches"] == [1, 2]
        assert not lots.candidates(study).exists()

    @pytest.mark.parametrize(
        ("numbers", "refusal", "said"),
        [
            ([], BadInput, "Choose at least one batch."),
            ([1, 9], BadInput, "This study has no batch 9."),
            ([2], Refused, "Batch 2 is accepted."),
        ],
    )
    def test_a_wrong_choice_is_refused_with_its_reason(self, study, researcher, numbers, refusal, said):
        factories.batch(study, number=1)
        factories.batch(study, number=2, state="accepted")
        with pytest.raises(refusal, match=said):
            lots.put_together(study, numbers, actor=researcher)
        assert not Lot.objects.exists()

    def test_a_batch_that_is_in_an_undecided_lot_is_refused_by_name(self, study, researcher):
        factories.batch(study, number=1)
        lots.put_together(study, [1], actor=researcher)
        with pytest.raises(Refused, match="Batch 1 is already in lot 1"):
            lots.put_together(study, [1], actor=researcher)

    def test_a_dissolved_lot_frees_its_batches(self, study, researcher):
        factories.batch(study, number=1)
        lot = lots.put_together(study, [1], actor=researcher)
        lots.dissolve(lot, actor=researcher)
        assert [batch.number for batch in lots.candidates(study)] == [1]
        with pytest.raises(Refused, match="dissolved"):
            lots.start(lot, actor=researcher)


class TestOtherChanges:
    def test_a_batch_of_a_draft_stays_when_its_pairs_are_regrouped(self, study, researcher):
        factories.pairs(study, 3)
        lot = lots.put_together(study, [1], actor=researcher)
        change = orders.make_batches(study, size=2, prompt_type="", actor=researcher)
        assert change.state == "done"
        assert Batch.objects.get(number=1).pairs.count() == 0
        assert lots.preview(lot).size == 0

    def test_drafts_are_deleted_with_their_study(self, study, researcher):
        factories.batch(study)
        lots.put_together(study, [1], actor=researcher)
        with transaction.atomic():
            assert delete_own_rows(study) == 2
        assert not Lot.objects.exists()

    def test_a_study_with_frozen_answers_is_kept(self, study, researcher):
        answered(study, pairs=1)
        in_review(study, researcher)
        with pytest.raises(IntegrityError), transaction.atomic():
            delete_own_rows(study)


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_put_the_same_batch_into_a_lot_one_succeeds(study, researcher):
    factories.batch(study, number=1)

    def put():
        try:
            return lots.put_together(study, [1], actor=researcher).number
        except Refused as refusal:
            return refusal.code

    assert sorted(map(str, at_once(put, put))) == ["1", "batch_taken"]


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_of_two_starts_at_once_one_freezes_the_answers(study, researcher):
    answered(study, pairs=3)
    lot = lots.put_together(study, [1], actor=researcher)

    def start():
        return lots.start(Lot.objects.get(pk=lot.pk), actor=researcher)

    assert sorted(at_once(start, start)) == [False, True]
    assert FrameItem.objects.filter(lot=lot).count() == 3


class TestStart:
    def test_the_answers_are_frozen_in_the_order_of_a_fresh_seed(self, study, researcher):
        answered(study, pairs=8)
        lot = lots.put_together(study, [1], actor=researcher)
        assert lots.start(lot, actor=researcher)
        assert (lot.state, lot.frame_size, len(lot.seed)) == ("in_review", 8, 32)
        keys = FrameItem.objects.filter(lot=lot).values_list("assignment", flat=True)
        by_hash = sorted(keys, key=lambda key: hashlib.sha256(f"{lot.seed}:{key}".encode()).digest())
        assert places(lot) == by_hash
        assert Batch.objects.get(number=1).state == "in_review"

    def test_two_lots_have_different_seeds(self, study, researcher):
        for number in (1, 2):
            answered(study, pairs=1, batch=number)
        seeds = {in_review(study, researcher, number).seed for number in (1, 2)}
        assert len(seeds) == 2

    def test_only_answers_that_count_and_are_valid_and_no_controls_are_frozen(self, study, researcher, annotator):
        answered(study, annotator, pairs=4)
        kept, invalid, held, control = Pair.objects.order_by("pk")
        standing = invalid.assignments.get().standing
        change_standing(standing, actor=None, validity="invalid", reason="contradiction")
        Pair.objects.filter(pk=held.pk).update(held="looked at")
        Pair.objects.filter(pk=control.pk).update(kind="control", expected={})
        lot = lots.put_together(study, [1], actor=researcher)
        lots.start(lot, actor=researcher)
        assert [item.assignment.pair for item in FrameItem.objects.filter(lot=lot)] == [kept]
        assert lot.left_out == [held.pk]

    def test_the_settings_are_copied_and_stay(self, study, researcher):
        answered(study, pairs=2)
        lot = lots.put_together(study, [1], actor=researcher)
        Study.objects.filter(pk=study.pk).update(aql=0.03, beta=0.2)
        lots.start(lot, actor=researcher)
        Study.objects.filter(pk=study.pk).update(aql=0.01)
        lot.refresh_from_db()
        assert (float(lot.aql), float(lot.beta), float(lot.secondary_share)) == (0.03, 0.2, 1.0)

    def test_starting_twice_changes_nothing(self, study, researcher):
        answered(study, pairs=2)
        lot = lots.put_together(study, [1], actor=researcher)
        assert lots.start(lot, actor=researcher) is True
        seed = lot.seed
        assert lots.start(lot, actor=researcher) is False
        assert lot.seed == seed

    def test_a_batch_that_still_needs_answers_is_refused(self, study, researcher, annotator):
        factories.pairs(study, 2)
        factories.answer(annotator, study)
        lot = lots.put_together(study, [1], actor=researcher)
        assert [batch.number for batch in lots.preview(lot).waiting] == [1]
        with pytest.raises(Refused, match="Batch 1 still needs answers"):
            lots.start(lot, actor=researcher)
        assert Batch.objects.get(number=1).state == "open"
        assert Lot.objects.get().state == "draft"

    def test_the_review_starts_without_pairs_that_nobody_may_take_and_lists_them(self, study, researcher, annotator):
        factories.pair(study)
        wanting = factories.pair(study, wanted=2)
        for _ in range(2):
            factories.answer(annotator, study)
        lot = lots.put_together(study, [1], actor=researcher)
        assert [(one.pair, one.missing) for one in lots.preview(lot).left] == [(wanting.pk, 1)]
        lots.start(lot, actor=researcher)
        assert lot.left_out == [wanting.pk]
        assert lot.frame_size == 2

    def test_somebody_who_joins_may_take_the_pair(self, study, researcher, annotator):
        factories.pair(study, wanted=2)
        factories.answer(annotator, study)
        lot = lots.put_together(study, [1], actor=researcher)
        factories.member(study, "annotator")
        assert lots.preview(lot).left == []

    def test_a_pair_that_somebody_is_answering_delays_the_review(self, study, researcher, annotator):
        factories.pair(study)
        serving.lease(annotator, study)
        lot = lots.put_together(study, [1], actor=researcher)
        assert lots.preview(lot).waiting
        with pytest.raises(Refused, match="still needs answers"):
            lots.start(lot, actor=researcher)

    def test_a_lot_without_answers_is_refused(self, study, researcher, annotator):
        answered(study, annotator, pairs=1)
        standing = Pair.objects.get().assignments.get().standing
        change_standing(standing, actor=None, validity="invalid", reason="contradiction")
        lot = lots.put_together(study, [1], actor=researcher)
        with pytest.raises(Refused, match="nothing to review"):
            lots.start(lot, actor=researcher)
        assert Lot.objects.get().state == "draft"

    def test_an_annotated_batch_of_a_draft_lot_opens_again_when_more_is_asked(self, study, researcher):
        batch = answered(study, pairs=1)
        leases.complete_batches()
        lots.put_together(study, [1], actor=researcher)
        Pair.objects.update(wanted=2, open_slots=1)
        with transaction.atomic():
            batches.ask_for_more(Pair.objects.all())
        batch.refresh_from_db()
        assert batch.state == "open"
        assert LotBatch.objects.get().undecided


class TestDraw:
    @pytest.mark.long
    def test_the_plan_is_for_the_answers_that_still_count(self, study, researcher):
        answered(study, pairs=12)
        lot = lots.put_together(study, [1], actor=researcher)
        lots.start(lot, actor=researcher)
        for item in FrameItem.objects.filter(lot=lot).order_by("place")[:2]:
            change_standing(item.assignment.standing, actor=researcher, validity="invalid", reason="defect")
        assert lots.end_secondary_review(lot, actor=researcher, without_rest=True)
        assert (lot.frame_size, lot.size, lot.sample_size, lot.acceptance_number) == (12, 10, 9, 0)
        sample = FrameItem.objects.filter(frames.in_deciding_sample(lot)).order_by("sample_place")
        assert [item.place for item in sample] == list(range(3, 12))
        assert [item.place for item in FrameItem.objects.filter(frames.in_first_sample(lot)).order_by("place")] == list(
            range(1, 10)
        )

    def test_the_sample_is_drawn_once(self, study, researcher):
        answered(study, pairs=10)
        lot = in_review(study, researcher)
        drawn = lot.drawn_at
        assert lots.end_secondary_review(lot, actor=researcher) is False
        assert lot.drawn_at == drawn

    def test_it_waits_for_the_secondary_review_or_ends_it_without_the_rest(self, study, researcher):
        answered(study, pairs=3)
        lot = lots.put_together(study, [1], actor=researcher)
        lots.start(lot, actor=researcher)
        with pytest.raises(Refused, match="Answers left: 3"):
            lots.end_secondary_review(lot, actor=researcher)
        assert lots.end_secondary_review(lot, actor=researcher, without_rest=True)

    @pytest.mark.long
    def test_a_later_attempt_needs_the_whole_secondary_review(self, study, researcher):
        answered(study, pairs=10)
        first = in_review(study, researcher)
        decide(first, Wanted("returned", "x", ask_again="defects", against_plan=True), actor=researcher)
        again = lots.put_together(study, [1], actor=researcher)
        lots.start(again, actor=researcher)
        with pytest.raises(Refused, match="Answers left: 10"):
            lots.end_secondary_review(again, actor=researcher, without_rest=True)

    def test_without_a_secondary_review_it_is_drawn_at_the_start(self, study, researcher):
        answered(study, pairs=10)
        Study.objects.filter(pk=study.pk).update(secondary_share=0)
        lot = lots.put_together(study, [1], actor=researcher)
        lots.start(lot, actor=researcher)
        assert lot.sample_size == 9

    def test_answers_in_quarantine_are_lost_until_they_are_released(self, study, researcher, annotator):
        answered(study, annotator, pairs=3)
        lot = lots.put_together(study, [1], actor=researcher)
        lots.start(lot, actor=researcher)
        item = FrameItem.objects.filter(lot=lot).first()
        quarantine.report(item.assignment.pair, ["video_0"], by=annotator)
        item.refresh_from_db()
        assert item.lost == "quarantined"
        officer = factories.officer(study)
        quarantine.release(Quarantine.objects.get(), officer, reason="It shows nothing illegal.")
        with transaction.atomic():
            quarantine.settle_files(item.assignment.pair.video_0.asset_id)
        item.refresh_from_db()
        assert item.lost == ""

    def test_withdrawn_answers_are_lost(self, study, researcher):
        answered(study, pairs=3)
        lot = in_review(study, researcher)
        assert frames.mark_withdrawn(places(lot)[:2]) == 2
        assert frames.mark_withdrawn(places(lot)[:2]) == 0
