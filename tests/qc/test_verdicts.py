"""What a verdict does: when a defect counts, and what follows for the answer and its annotator."""

import uuid

import pytest

from annotation.answers import Answers
from annotation.models import Annotation, Assignment, Standing
from annotation.standings import change_standing
from catalog.models import Pair
from diptych.refusals import Refused
from qc import outcomes, reviewing, verdicts
from qc.judging import Given
from qc.models import FrameItem, Reply, Review, Verdict
from qc.outcomes import Outcome
from qc.verdicts import Opinion
from tests import factories

pytestmark = pytest.mark.django_db


class Checked:
    """A lot whose answers are all in the spot check, and people of every role."""

    def __init__(self, count: int = 1, **values):
        self.study = factories.study()
        self.lot = factories.lot_in_review(self.study, count, **values)
        self.reviewer = factories.reviewer(self.study)
        self.checker = factories.reviewer(self.study, "researcher")
        self.confirmer = factories.reviewer(self.study)
        self.adjudicator = factories.reviewer(self.study, "admin")

    def lease(self, kind, person):
        return reviewing.lease(person, self.lot, kind).reviews[0]

    def given(self, review, row, ruling, **values):
        annotation = review.item.judged or review.item.current
        return Given(review.pk, annotation.pk, row, ruling, **values)

    def secondary(self, row, ruling, **values):
        review = self.lease("secondary", self.reviewer)
        verdicts.submit(review, self.reviewer, [self.given(review, row, ruling, **values)])
        return review

    def spot(self, row="helpfulness", ruling="defect", other="video_1", **values):
        """Answer one row differently in the spot check, and give a verdict on it."""
        review = self.lease("spot", self.checker)
        body = factories.body()
        body["helpfulness" if row != "harmlessness" else "harmlessness"]["overall"] = other
        own = Answers.from_body(body["helpfulness"], body["harmlessness"])
        sent = {"submission_id": uuid.uuid4(), "answers": own, "timings_ms": {}, "viewing": {}}
        reviewing.answer(review, self.checker, **sent)
        if ruling == "defect":
            values.setdefault("code", "overlooked")
        verdicts.submit(review, self.checker, [self.given(review, row, ruling, **values)])
        return review

    def confirm(self, counts, person=None):
        person = person or self.confirmer
        review = self.lease("confirm", person)
        waiting = verdicts.waiting_for([review])
        return verdicts.give_opinions(review, person, [Opinion(one.pk, counts) for one in waiting])


@pytest.fixture
def drawn():
    return Checked(drawn=True)


def test_a_defect_counts_once_a_second_person_confirms_it_and_somebody_else_is_asked(drawn):
    drawn.spot(comment="The left ball rolls backwards.")
    (item,) = outcomes.outcomes(drawn.lot)
    assert outcomes.outcomes(drawn.lot) == {item: Outcome.UNCONFIRMED}
    assert reviewing.lease(drawn.checker, drawn.lot, "confirm").reason == "nothing_due"
    drawn.confirm(True)
    assert outcomes.outcomes(drawn.lot) == {item: Outcome.DEFECTIVE}
    assert outcomes.defective_items(drawn.lot, "first") == {item} == outcomes.defects_found(drawn.lot)
    standing = Standing.objects.get()
    assert (standing.validity, standing.reason, standing.uncounted_reason) == ("invalid", "overlooked", "rejected")
    assert Pair.objects.get().open_slots == 1


@pytest.mark.long
def test_a_defect_that_is_not_confirmed_does_not_count(drawn):
    drawn.spot()
    drawn.confirm(False)
    assert list(outcomes.outcomes(drawn.lot).values()) == [Outcome.FINE]
    assert Standing.objects.get().counted


@pytest.mark.long
def test_what_a_confirmer_disputes_is_decided_by_the_adjudicator(drawn):
    drawn.spot()
    drawn.confirm(None)
    assert list(outcomes.outcomes(drawn.lot).values()) == [Outcome.DISPUTED]
    review = drawn.lease("adjudicate", drawn.adjudicator)
    (waiting,) = verdicts.waiting_for([review])
    with pytest.raises(Refused, match="decides every row"):
        verdicts.give_opinions(review, drawn.adjudicator, [Opinion(waiting.pk, None)])
    verdicts.give_opinions(review, drawn.adjudicator, [Opinion(waiting.pk, True)])
    verdicts.give_opinions(review, drawn.adjudicator, [Opinion(waiting.pk, True)])  # a repeated request
    assert list(outcomes.outcomes(drawn.lot).values()) == [Outcome.DEFECTIVE]


@pytest.mark.long
def test_unclear_guidelines_and_other_questions_are_nobodys_defect():
    drawn = Checked(3, drawn=True)
    drawn.spot("helpfulness", "guideline_unclear")
    for row in ("helpfulness", "harmlessness"):
        review = drawn.lease("spot", drawn.checker)
        body = factories.body()
        body["helpfulness"]["aesthetics"] = "video_0"
        own = Answers.from_body(body["helpfulness"], body["harmlessness"])
        sent = {"submission_id": uuid.uuid4(), "answers": own, "timings_ms": {}, "viewing": {}}
        reviewing.answer(review, drawn.checker, **sent)
        with pytest.raises(Refused, match="Missing: aesthetics"):
            verdicts.submit(review, drawn.checker, [])
        with pytest.raises(Refused, match="must differ"):
            verdicts.submit(review, drawn.checker, [drawn.given(review, row, "defect", code="overlooked")])
        verdicts.submit(review, drawn.checker, [drawn.given(review, "aesthetics", "defect", code="overlooked")])
    assert list(outcomes.outcomes(drawn.lot).values()) == [Outcome.FINE] * 3
    assert not Verdict.objects.exclude(counts=False).exists()


def test_a_correction_of_tags_is_a_revision_by_the_reviewer():
    checked = Checked()
    checked.secondary("tags_video_1", "corrected", own=["violence", "crime"], comment="There is a theft.")
    assert Annotation.objects.get(revision=2).author == checked.reviewer
    assert Annotation.objects.get(revision=2).tags_video_1 == ["crime", "violence"]
    assert Verdict.objects.get().counts is False


@pytest.mark.long
def test_a_correction_that_changes_safe_to_unsafe_is_a_defect_and_waits():
    checked = Checked()
    checked.secondary("tags_video_0", "corrected", own=["crime"])
    assert Verdict.objects.get().waits_for == "confirm"
    assert outcomes.secondary_left(checked.lot) == 1
    assert not Annotation.objects.filter(revision=2).exists()
    checked.confirm(True)
    assert Verdict.objects.get().counts
    assert Annotation.objects.get(revision=2).tags_video_0 == ["crime"]
    assert outcomes.defects_found(checked.lot) == {FrameItem.objects.get().pk}
    assert outcomes.secondary_left(checked.lot) == 0
    assert outcomes.outcomes(checked.lot) == {}  # secondary review is no rate


def test_wrong_tags_can_be_returned_for_one_new_answer():
    checked = Checked()
    checked.secondary("tags_video_1", "defect", own=["crime"], code="harm_not_there", comment="It is a theft.")
    offer = Assignment.objects.get(state="offered")
    assert (offer.round, offer.round_reason, offer.comment) == (1, "returned", "It is a theft.")
    assert Standing.objects.get().uncounted_reason == "returned"


def test_preferences_are_never_corrected_or_sent_back():
    checked = Checked()
    review = checked.lease("secondary", checked.reviewer)
    with pytest.raises(Refused, match="Only tags can be corrected"):
        verdicts.submit(review, checked.reviewer, [checked.given(review, "helpfulness", "corrected", own="video_1")])
    with pytest.raises(Refused, match="Choose why"):
        verdicts.submit(review, checked.reviewer, [checked.given(review, "helpfulness", "defect", own="video_1")])
    given = checked.given(review, "helpfulness", "defect", own="video_1", code="sides_mixed_up")
    verdicts.submit(review, checked.reviewer, [given])
    verdicts.submit(review, checked.reviewer, [given])  # a repeated request
    with pytest.raises(Refused, match="already submitted"):
        verdicts.submit(review, checked.reviewer, [])
    checked.confirm(True)
    assert not Assignment.objects.filter(state="offered").exists()
    assert Pair.objects.get().open_slots == 1


def test_undo_is_refused_once_somebody_looks_at_the_verdict(drawn):
    review = drawn.spot()
    verdicts.undo(review, drawn.checker)
    assert not Verdict.objects.filter(withdrawn_at=None).exists()
    assert reviewing.lease(drawn.confirmer, drawn.lot, "confirm").reason == "nothing_due"
    given = drawn.given(review, "helpfulness", "defect", code="overlooked")
    verdicts.submit(review, drawn.checker, [given])
    drawn.lease("confirm", drawn.confirmer)
    with pytest.raises(Refused, match="already judging"):
        verdicts.undo(review, drawn.checker)


def test_an_annotators_reply_goes_to_the_adjudicator_who_can_restore_the_answer(drawn):
    drawn.spot()
    drawn.confirm(True)
    item = FrameItem.objects.get()
    Reply.objects.create(study=drawn.study, item=item, text="It rolls forwards; look again.")
    review = drawn.lease("adjudicate", drawn.adjudicator)
    (verdict,) = verdicts.waiting_for([review])
    with pytest.raises(Refused, match="responds to the annotator"):
        verdicts.give_opinions(review, drawn.adjudicator, [Opinion(verdict.pk, False)])
    verdicts.give_opinions(review, drawn.adjudicator, [Opinion(verdict.pk, False)], closing="You are right.")
    assert Reply.objects.get().closing == "You are right."
    assert list(outcomes.outcomes(drawn.lot).values()) == [Outcome.FINE]
    assert (Standing.objects.get().validity, Standing.objects.get().counted) == ("valid", True)


def test_nothing_is_reviewed_once_the_lot_is_decided(drawn):
    review = drawn.lease("spot", drawn.checker)
    Review.objects.update(revealed_at="2026-01-01T00:00Z")
    drawn.lot.state, drawn.lot.decided_by, drawn.lot.decision_reason = "returned", drawn.adjudicator, "Too many."
    drawn.lot.decided_at = drawn.lot.started_at
    drawn.lot.save()
    with pytest.raises(Refused, match="not in review"):
        verdicts.submit(review, drawn.checker, [])


def test_an_answer_that_no_longer_counts_keeps_its_verdict_and_nothing_follows(drawn):
    drawn.spot()
    change_standing(Standing.objects.get(), actor=None, counts=False, uncounted_reason="returned")
    drawn.confirm(True)
    assert Standing.objects.get().validity == "valid"
    assert list(outcomes.outcomes(drawn.lot).values()) == [Outcome.DEFECTIVE]
