"""What the tables of lots keep right, whoever writes them."""

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from qc.models import FrameItem, Lot, LotBatch
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study()


def test_a_batch_is_in_one_undecided_lot_at_most(study):
    batch = factories.batch(study)
    factories.lot(study, batch)
    with pytest.raises(IntegrityError, match="lot_batch_in_one_undecided_lot"), transaction.atomic():
        factories.lot(study, batch)


def test_a_batch_of_a_decided_lot_may_be_judged_again_and_then_the_decision_cannot_be_reopened(study):
    batch, head = factories.batch(study), factories.person()
    first = factories.lot(study, batch, state="in_review")
    decided = {"decided_at": "2026-01-01T00:00Z", "decided_by": head, "decision_reason": "Too many defects"}
    Lot.objects.filter(pk=first.pk).update(state="returned", **decided)
    assert not LotBatch.objects.get(lot=first).undecided
    factories.lot(study, batch, attempt=2, previous=first)
    undecided = {"decided_at": None, "decided_by": None, "decision_reason": ""}
    with pytest.raises(IntegrityError, match="lot_batch_in_one_undecided_lot"), transaction.atomic():
        Lot.objects.filter(pk=first.pk).update(state="in_review", **undecided)


def test_a_frozen_answer_stays_as_it_was_frozen(study):
    person = factories.member(study, "annotator")
    factories.pair(study)
    answered = factories.answer(person, study)
    item = factories.frame_item(factories.lot(study, answered.pair.batch, state="in_review"), answered)
    FrameItem.objects.filter(pk=item.pk).update(lost="quarantined")
    FrameItem.objects.filter(pk=item.pk).update(sample_place=1, judged=item.current)
    for change in ({"place": 2}, {"sample_place": None}, {"judged": None}):
        with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
            FrameItem.objects.filter(pk=item.pk).update(**change)
