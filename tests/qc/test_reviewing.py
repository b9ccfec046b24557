"""Who gets which answer to review, and what ends a review."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from annotation.answers import Answers
from annotation.models import Dose
from catalog.models import Pair
from diptych.refusals import Refused
from qc import judging, reviewing, verdicts
from qc.models import Review, ReviewAnswer
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study(daily_dose_s=600)


def answers(**values) -> Answers:
    body = factories.body(**values)
    return Answers.from_body(body["helpfulness"], body["harmlessness"])


def answer_blind(review, person, own=None, submission_id=None):
    return reviewing.answer(
        review,
        person,
        submission_id=submission_id or uuid.uuid4(),
        answers=own or answers(),
        timings_ms={"total_active": 1000},
        viewing={},
    )


def test_a_sitting_has_all_answers_of_one_pair(study):
    people = [factories.member(study, "annotator") for _ in range(2)]
    factories.pair(study, wanted=2)
    answered = [factories.answer(person, study) for person in people]
    factories.pair(study)
    answered.append(factories.answer(people[0], study))
    factories.Batch.objects.update(state="in_review")
    lot = factories.lot(study, factories.batch(study), state="in_review", frame_size=3)
    for place, one in enumerate(answered, start=1):
        factories.frame_item(lot, one, place)
    reviewer = factories.reviewer(study)
    first = reviewing.lease(reviewer, lot, "secondary")
    assert [one.item.assignment_id for one in first.reviews] == [one.pk for one in answered[:2]]
    again = reviewing.lease(reviewer, lot, "secondary")
    assert [one.pk for one in again.reviews] == [one.pk for one in first.reviews]
    other = reviewing.lease(factories.reviewer(study), lot, "secondary")
    assert [one.item.assignment_id for one in other.reviews] == [answered[2].pk]
    assert reviewing.lease(factories.reviewer(study), lot, "secondary").reason == "nothing_due"


def test_the_annotator_and_whoever_has_another_role_get_no_review(study):
    annotator = factories.reviewer(study)
    annotator.memberships.create(study=study, role="annotator")
    lot = factories.lot_in_review(study, people=[annotator])
    assert reviewing.lease(annotator, lot, "secondary").reason == "nothing_due"
    reviewer = factories.reviewer(study)
    review = reviewing.lease(reviewer, lot, "secondary").reviews[0]
    verdicts.submit(review, reviewer, [])
    factories.draw_all(lot)
    assert reviewing.lease(reviewer, lot, "spot").reason == "nothing_due"
    assert reviewing.lease(factories.reviewer(study, "researcher"), lot, "spot").reviews
    values = {name: getattr(review, name) for name in ("study", "lot", "item", "pair", "left", "expires_at")}
    with pytest.raises(IntegrityError, match="review_one_role_a_person"), transaction.atomic():
        Review.objects.create(**values, reviewer=reviewer, kind="spot", blind=True)
    with pytest.raises(IntegrityError, match="annotator of an answer"), transaction.atomic():
        Review.objects.create(**values, reviewer=annotator, kind="spot", blind=True)


def test_a_blind_review_reveals_nothing_before_the_reviewer_has_answered(study):
    lot = factories.lot_in_review(study, drawn=True)
    checker = factories.reviewer(study, "researcher")
    review = reviewing.lease(checker, lot, "spot").reviews[0]
    assert review.blind
    with pytest.raises(Refused, match="Answer the pair yourself first"):
        judging.cards([review])
    with pytest.raises(Refused, match="Answer the pair yourself first"):
        verdicts.submit(review, checker, [])
    sent = uuid.uuid4()
    sitting = answer_blind(review, checker, submission_id=sent)
    assert [card.differing for card in judging.cards(sitting.reviews)] == [[]]
    assert answer_blind(review, checker, submission_id=sent).reviews  # a repeated request
    with pytest.raises(Refused, match="first answer stays"):
        answer_blind(review, checker, answers(unsure=True))
    assert ReviewAnswer.objects.count() == 1


def test_undo_keeps_the_blind_answer(study):
    lot = factories.lot_in_review(study, drawn=True)
    checker = factories.reviewer(study, "researcher")
    review = reviewing.lease(checker, lot, "spot").reviews[0]
    answer_blind(review, checker)
    verdicts.submit(review, checker, [])
    assert reviewing.lease(checker, lot, "spot").reason == "nothing_due"
    again = verdicts.undo(review, checker)
    assert [one.state for one in again] == ["leased"]
    assert again[0].revealed_at
    verdicts.submit(review, checker, [])
    assert ReviewAnswer.objects.count() == 1


@pytest.mark.long
def test_a_random_share_of_the_secondary_review_is_blind(study):
    lot = factories.lot_in_review(study, 30, blind_share="0.5")
    reviewer = factories.reviewer(study)
    blind = []
    for _ in range(30):
        review = reviewing.lease(reviewer, lot, "secondary").reviews[0]
        blind.append(review.blind)
        Review.objects.filter(pk=review.pk).update(state="submitted", ended_at=timezone.now())
    assert 5 <= sum(blind) <= 25


def test_an_expired_review_comes_back_and_its_late_verdicts_are_kept_if_nobody_took_it(study):
    lot = factories.lot_in_review(study)
    late, quick = factories.reviewer(study), factories.reviewer(study)
    review = reviewing.lease(late, lot, "secondary").reviews[0]
    past = timezone.now() - timedelta(hours=2)
    Review.objects.update(leased_at=past - timedelta(hours=1), expires_at=past)
    theirs = reviewing.lease(quick, lot, "secondary").reviews[0]
    assert Review.objects.get(pk=review.pk).state == "expired"
    with pytest.raises(Refused, match="somebody else has taken it"):
        verdicts.submit(review, late, [])
    reviewing.give_back(theirs, quick)
    verdicts.submit(review, late, [])
    assert Review.objects.get(pk=review.pk).state == "submitted"


def test_a_skipped_review_goes_to_somebody_else_only(study):
    lot = factories.lot_in_review(study)
    reviewer, other = factories.reviewer(study), factories.reviewer(study)
    review = reviewing.lease(reviewer, lot, "secondary").reviews[0]
    reviewing.skip(review, reviewer, reason="too_distressing")
    reviewing.skip(review, reviewer, reason="too_distressing")
    assert reviewing.lease(reviewer, lot, "secondary").reason == "nothing_due"
    assert reviewing.lease(other, lot, "secondary").reviews


def test_reviewers_see_only_what_they_agreed_to_and_within_their_daily_limit(study):
    lot = factories.lot_in_review(study, pair={"may_show": ["violence"]})
    reviewer, careful = factories.reviewer(study), factories.reviewer(study)
    factories.agreements.agree(careful, study, categories=["crime"], text="Only this.")
    assert reviewing.lease(careful, lot, "secondary").reason == "excluded"
    stranger = factories.member(study, "reviewer")
    assert reviewing.lease(stranger, lot, "secondary").reason == "consent"
    Dose.objects.create(person=reviewer, day=timezone.localdate(), seconds=600)
    refused = reviewing.lease(reviewer, lot, "secondary")
    assert refused.reason == "cap"
    assert refused.retry_after_s
    Dose.objects.update(seconds=0)
    review = reviewing.lease(reviewer, lot, "secondary").reviews[0]
    assert Dose.objects.get(person=reviewer).seconds == 8  # both clips of 2 s, twice
    reviewing.record_exposure(review, reviewer, {"revealed_s": {"video_0": 3.0, "video_1": 1.0}, "hidden": 1})
    verdicts.submit(review, reviewer, [], care={"revealed_s": {"video_0": 4.0, "video_1": 1.0}, "hidden": 1})
    assert Dose.objects.get(person=reviewer).seconds == 5


class TestAhead:
    """A second pair is reserved, so that its videos are loaded while the first one is judged."""

    def test_the_reserved_pair_is_the_next_one_and_reveals_nothing_before(self, study):
        lot = factories.lot_in_review(study, 3)
        reviewer = factories.reviewer(study)
        first = reviewing.lease(reviewer, lot, "secondary", ahead=True)
        again = reviewing.lease(reviewer, lot, "secondary", ahead=True)
        assert [one.pk for one in again.reviews + again.ahead] == [one.pk for one in first.reviews + first.ahead]
        assert first.reviews[0].item_id != first.ahead[0].item_id
        assert (first.ahead[0].shown_at, first.ahead[0].revealed_at) == (None, None)
        assert first.reviews[0].revealed_at
        verdicts.submit(first.reviews[0], reviewer, [])
        second = reviewing.lease(reviewer, lot, "secondary")
        assert [one.pk for one in second.reviews] == [one.pk for one in first.ahead]
        assert second.reviews[0].revealed_at

    def test_others_do_not_get_it_until_it_comes_back(self, study):
        lot = factories.lot_in_review(study, 2)
        reviewer, other = factories.reviewer(study), factories.reviewer(study)
        ahead = reviewing.lease(reviewer, lot, "secondary", ahead=True).ahead
        assert reviewing.lease(other, lot, "secondary").reason == "nothing_due"
        reviewing.give_back(ahead[0], reviewer)
        reviewing.give_back(ahead[0], reviewer)
        assert [one.item_id for one in reviewing.lease(other, lot, "secondary").reviews] == [ahead[0].item_id]

    def test_it_comes_back_by_itself_and_is_no_role(self, study):
        lot = factories.lot_in_review(study, 2)
        reviewer, other = factories.reviewer(study), factories.reviewer(study)
        ahead = reviewing.lease(reviewer, lot, "secondary", ahead=True).ahead
        past = timezone.now() - timedelta(hours=2)
        Review.objects.filter(shown_at=None).update(leased_at=past - timedelta(hours=1), expires_at=past)
        assert [one.item_id for one in reviewing.lease(other, lot, "secondary").reviews] == [ahead[0].item_id]
        Review.objects.filter(reviewer=other).delete()
        factories.draw_all(lot)
        checker = factories.reviewer(study, "researcher")
        assert reviewing.lease(checker, lot, "spot").reviews
        reviewer.memberships.create(study=study, role="researcher")
        assert reviewing.lease(reviewer, lot, "spot").reviews[0].item_id == ahead[0].item_id

    def test_it_counts_towards_the_daily_limit_only_when_it_is_shown(self, study):
        lot = factories.lot_in_review(study, 3, pair={"may_show": ["violence"]})
        reviewer = factories.reviewer(study)
        sitting = reviewing.lease(reviewer, lot, "secondary", ahead=True)
        assert sitting.ahead
        assert Dose.objects.get(person=reviewer).seconds == 8
        verdicts.submit(sitting.reviews[0], reviewer, [], care={"revealed_s": {"video_0": 600.0, "video_1": 1.0}})
        capped = reviewing.lease(reviewer, lot, "secondary", ahead=True)
        assert (capped.reason, capped.reviews, capped.ahead) == ("cap", [], [])
        assert Review.objects.get(pk=sitting.ahead[0].pk).state == "returned"

    def test_a_pair_that_was_quarantined_meanwhile_is_not_shown(self, study):
        lot = factories.lot_in_review(study, 3)
        reviewer = factories.reviewer(study)
        sitting = reviewing.lease(reviewer, lot, "secondary", ahead=True)
        Pair.objects.filter(pk=sitting.ahead[0].pair_id).update(held="quarantined")
        verdicts.submit(sitting.reviews[0], reviewer, [])
        shown = reviewing.lease(reviewer, lot, "secondary").reviews
        assert shown[0].item_id not in {sitting.reviews[0].item_id, sitting.ahead[0].item_id}


def test_a_quarantined_pair_is_not_reviewed(study):
    lot = factories.lot_in_review(study)
    Pair.objects.update(held="quarantined")
    assert reviewing.lease(factories.reviewer(study), lot, "secondary").reason == "nothing_due"


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_two_reviewers_at_once_get_different_answers():
    study = factories.study()
    lot = factories.lot_in_review(study, 6)
    people = [factories.reviewer(study) for _ in range(4)]
    barrier, got = threading.Barrier(len(people)), []

    def work(person):
        try:
            barrier.wait(10)
            got.append(reviewing.lease(person, lot, "secondary"))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    leased = [sitting.reviews[0].item_id for sitting in got if sitting.reviews]
    assert len(leased) == len(set(leased)) == 4
