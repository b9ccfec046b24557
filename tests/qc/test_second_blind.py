"""Second blind answers: which pairs are drawn, who answers them, and how far reviewers agree."""

import uuid

import pytest
from django.db import IntegrityError, transaction

from annotation.answers import Answers
from diptych.database.fixed import fetch_all
from diptych.refusals import Refused
from qc import due, outcomes, reviewing, second_blind, verdicts
from qc.judging import Given
from qc.models import Lot, Review, ReviewAnswer, SecondBlind, Verdict
from qc.reviewer_agreement import reviewer_agreement
from qc.verdicts import Opinion
from tests import factories

pytestmark = pytest.mark.django_db


def own(**values) -> Answers:
    body = factories.body(**values)
    return Answers.from_body(body["helpfulness"], body["harmlessness"])


def waiting(lot):
    """Return how many second blind answers of the lot wait and are with nobody."""
    return due.counts(lot.study, [lot], ["second_blind"])[lot.pk]["second_blind"]


def answer(review, person, answers=None, submission_id=None):
    sent = {"submission_id": submission_id or uuid.uuid4(), "timings_ms": {}, "viewing": {}}
    return reviewing.answer(review, person, answers=answers or own(), **sent)


def spot_check(lot, person, *, defect=False):
    """Judge the next answer of the spot check, as fine or as a defect, and return its review."""
    review = reviewing.lease(person, lot, "spot").reviews[0]
    body = factories.body()
    if defect:
        body["helpfulness"]["overall"] = "video_1"
    answer(review, person, Answers.from_body(body["helpfulness"], body["harmlessness"]))
    said = [Given(review.pk, review.item.judged_id, "helpfulness", "defect", code="overlooked")] if defect else []
    verdicts.submit(review, person, said)
    return review


def confirm(lot, person):
    review = reviewing.lease(person, lot, "confirm").reviews[0]
    verdicts.give_opinions(review, person, [Opinion(Verdict.objects.get(waits_for="confirm").pk, True)])


def drawn_now(lot):
    """Draw every pair of the lot that a first reviewer has answered, whatever chance says."""
    for own_answer in ReviewAnswer.objects.filter(lot=lot):
        review = Review.objects.filter(pair=own_answer.pair_id, reviewer=own_answer.reviewer_id).earliest("pk")
        made = {"study": lot.study, "lot": lot, "item": review.item, "first": own_answer}
        SecondBlind.objects.get_or_create(pair_id=own_answer.pair_id, defaults=made)


class TestDraw:
    def test_a_confirmed_defect_is_drawn_and_its_confirmer_does_not_answer_it(self):
        study = factories.study()
        lot = factories.lot_in_review(study, drawn=True)
        confirmer = factories.reviewer(study)
        spot_check(lot, factories.reviewer(study, "researcher"), defect=True)
        SecondBlind.objects.all().delete()  # chance may have drawn it already
        assert waiting(lot) == 0
        confirm(lot, confirmer)
        drawn = SecondBlind.objects.get()
        assert (drawn.defect, drawn.first, drawn.second) == (True, ReviewAnswer.objects.get(), None)
        assert waiting(lot) == 1
        assert reviewing.lease(confirmer, lot, "second_blind").reason == "nothing_due"
        assert reviewing.lease(factories.reviewer(study), lot, "second_blind").reviews

    def test_a_defect_weighs_as_one_even_if_chance_drew_its_pair_before(self):
        study = factories.study()
        lot = factories.lot_in_review(study, drawn=True)
        spot_check(lot, factories.reviewer(study, "researcher"), defect=True)
        drawn_now(lot)
        assert not SecondBlind.objects.get().defect
        confirm(lot, factories.reviewer(study))
        assert SecondBlind.objects.get().defect

    def test_a_tenth_of_the_others_is_drawn_by_the_secret_seed_of_the_lot(self):
        study = factories.study()
        lot = factories.lot(study, factories.batch(study), state="in_review")
        statement = f"SELECT {due.drawn('second blind', 'n', str(second_blind.SHARE))}"
        found = [
            row[0]
            for row in fetch_all(
                f"{statement} FROM qc_lot lot, generate_series(1, 2000) n WHERE lot.id = %(lot)s",
                {"lot": lot.pk},
            )
        ]
        assert 150 <= sum(found) <= 250

    def test_only_blind_answers_are_drawn_and_each_pair_once(self):
        study = factories.study()
        lot = factories.lot_in_review(study)
        reviewer = factories.reviewer(study)
        review = reviewing.lease(reviewer, lot, "secondary").reviews[0]
        verdicts.submit(review, reviewer, [])
        second_blind.draw_defects([Verdict(item=review.item)])
        assert not SecondBlind.objects.exists()
        factories.draw_all(lot)
        spot_check(lot, factories.reviewer(study, "researcher"))
        second_blind.draw_defects([Verdict(item=review.item)])
        second_blind.draw_defects([Verdict(item=review.item)])
        assert SecondBlind.objects.get().first == ReviewAnswer.objects.get()


class TestAnswering:
    @pytest.fixture
    def checked(self):
        study = factories.study()
        lot = factories.lot_in_review(study, drawn=True)
        spot_check(lot, factories.reviewer(study, "researcher"))
        drawn_now(lot)
        return lot

    @pytest.mark.long
    def test_the_answer_ends_the_review_and_reveals_nothing(self, checked):
        person, sent = factories.reviewer(checked.study), uuid.uuid4()
        review = reviewing.lease(person, checked, "second_blind").reviews[0]
        assert review.blind
        with pytest.raises(Refused, match="your own answer only"):
            verdicts.submit(review, person, [])
        for _ in range(2):  # a repeated request
            sitting = answer(review, person, submission_id=sent)
            assert [(one.state, one.revealed_at) for one in sitting.reviews] == [("submitted", None)]
        assert SecondBlind.objects.get().second == ReviewAnswer.objects.get(reviewer=person)
        assert reviewing.lease(factories.reviewer(checked.study), checked, "second_blind").reason == "nothing_due"
        with pytest.raises(Refused):
            verdicts.undo(review, person)

    def test_it_enters_no_rate(self, checked):
        before = outcomes.counted(checked)
        person = factories.reviewer(checked.study)
        review = reviewing.lease(person, checked, "second_blind").reviews[0]
        answer(review, person, own(helpfulness=factories.body()["helpfulness"] | {"overall": "video_1"}))
        assert outcomes.counted(checked) == before
        assert not Verdict.objects.filter(review=review).exists()

    def test_it_goes_on_after_the_decision(self, checked):
        decided = {"decided_at": checked.drawn_at, "decided_by": checked.created_by, "decision_reason": "Good."}
        Lot.objects.update(state="accepted", **decided)
        checked.refresh_from_db()
        assert [lot.pk for lot in due.lots_to_review(checked.study)] == [checked.pk]
        assert waiting(checked) == 1
        person = factories.reviewer(checked.study)
        answer(reviewing.lease(person, checked, "second_blind").reviews[0], person)
        assert not due.lots_to_review(checked.study).exists()

    def test_it_waits_until_the_spot_check_of_the_answer_is_done(self):
        study = factories.study()
        lot = factories.lot_in_review(study, blind_share=1)
        reviewer = factories.reviewer(study)
        review = reviewing.lease(reviewer, lot, "secondary").reviews[0]
        answer(review, reviewer)
        verdicts.submit(review, reviewer, [])
        drawn_now(lot)
        assert waiting(lot) == 0
        factories.draw_all(lot)
        assert waiting(lot) == 0
        spot_check(lot, factories.reviewer(study, "researcher"))
        assert waiting(lot) == 1

    def test_whoever_saw_another_answer_to_the_pair_is_not_asked(self):
        study = factories.study()
        people = [factories.member(study, "annotator") for _ in range(2)]
        factories.pair(study, wanted=2)
        answered = [factories.answer(person, study) for person in people]
        study.batches.update(state="in_review")
        lot = factories.lot(study, factories.batch(study), state="in_review", frame_size=2)
        first, _other = (factories.frame_item(lot, one, place) for place, one in enumerate(answered, start=1))
        factories.draw_all(lot)
        reviewer = factories.reviewer(study)
        spot_check(lot, factories.reviewer(study, "researcher"))
        drawn_now(lot)
        seen = Lot.objects.get().items.exclude(pk=SecondBlind.objects.get().item_id).get()
        factories.review(seen, reviewer=reviewer, kind="secondary", state="submitted")
        assert first.lot_id == lot.pk
        assert reviewing.lease(reviewer, lot, "second_blind").reason == "nothing_due"
        assert reviewing.lease(factories.reviewer(study), lot, "second_blind").reviews

    def test_one_person_answers(self, checked):
        item = SecondBlind.objects.get().item
        factories.review(item, reviewer=factories.reviewer(checked.study), kind="second_blind", state="submitted")
        with pytest.raises(IntegrityError, match="review_one_person_a_role"), transaction.atomic():
            factories.review(item, reviewer=factories.reviewer(checked.study), kind="second_blind", state="leased")


class TestAgreement:
    @pytest.mark.long
    def test_pairs_are_weighted_by_how_they_were_drawn(self):
        study = factories.study()
        lot = factories.lot_in_review(study, 3, drawn=True)
        checker = factories.reviewer(study, "researcher")
        for _ in range(3):
            spot_check(lot, checker)
        drawn_now(lot)
        defect = SecondBlind.objects.earliest("pk")
        SecondBlind.objects.filter(pk=defect.pk).update(defect=True)
        person = factories.reviewer(study)
        for _ in range(3):
            review = reviewing.lease(person, lot, "second_blind").reviews[0]
            body = factories.body()
            if review.item_id == defect.item_id:
                body["helpfulness"]["overall"] = "video_1"
                body["harmlessness"]["video_0"]["tags"] = ["hate"]
            answer(review, person, Answers.from_body(body["helpfulness"], body["harmlessness"]))
        found = reviewer_agreement(study, fewest=3)
        shares = {one.row: one.figure.value for one in found.rows}
        assert (found.done, found.waiting, found.defects) == (3, 0, 1)
        assert shares["helpfulness"] == pytest.approx(20 / 21)  # the defect stands for 1, the others for 10 each
        assert shares["harmlessness"] == 1
        assert shares["safe"] == shares["tags"] == pytest.approx(20.5 / 21)  # one video of two
        assert shares["aesthetics"] == 1
        intervals = {one.row: str(one.figure.interval) for one in found.rows}
        assert (intervals["helpfulness"], intervals["aesthetics"]) == ("not_enough", "all_alike")

    def test_nothing_is_shown_before_a_hundred_pairs(self):
        study = factories.study()
        lot = factories.lot_in_review(study, drawn=True)
        spot_check(lot, factories.reviewer(study, "researcher"))
        drawn_now(lot)
        found = reviewer_agreement(study)
        assert (found.done, found.waiting, found.is_enough, found.rows) == (0, 1, False, ())
