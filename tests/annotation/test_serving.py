"""Who gets which pair."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation import leases, seats, serving, skipping, submission
from annotation.answers import Answers
from annotation.models import Assignment, Seat
from catalog.models import Batch
from diptych.refusals import Refused
from studies.models import Study
from tests import factories

pytestmark = pytest.mark.django_db


def slots_add_up(pair):
    """Check that `open_slots` equals a recount."""
    pair.refresh_from_db()
    live = pair.assignments.filter(state="leased").count()
    counted = pair.assignments.filter(standing__counted=True).count()
    return pair.open_slots == pair.wanted - live - counted


def expire(assignment):
    Assignment.objects.filter(pk=assignment.pk).update(
        leased_at=timezone.now() - timedelta(hours=2), expires_at=timezone.now() - timedelta(hours=1)
    )


def answer(assignment, person, study, **values):
    body = factories.body()
    return submission.submit(
        assignment,
        person,
        submission_id=body["submission_id"],
        answers=Answers.from_body(body["helpfulness"], body["harmlessness"]),
        timings_ms={},
        viewing={},
        **values,
    )


def test_a_person_gets_two_pairs_and_the_same_two_again(study, annotator):
    factories.pairs(study, 3)
    first, again = serving.lease(annotator, study), serving.lease(annotator, study)
    assert first.current
    assert first.next
    assert first.current != first.next
    assert (again.current, again.next) == (first.current, first.next)
    assert all(slots_add_up(leased.pair) for leased in (first.current, first.next))


def test_a_second_person_gets_another_pair_while_one_answer_is_wanted(study, annotator):
    factories.pairs(study, 4)
    other = factories.member(study, "annotator")
    mine, theirs = serving.lease(annotator, study), serving.lease(other, study)
    assert not {mine.current.pair_id, mine.next.pair_id} & {theirs.current.pair_id, theirs.next.pair_id}


def test_overlap_gives_one_pair_to_as_many_people_as_wanted(study):
    pair = factories.pair(study, wanted=3)
    people = [factories.member(study, "annotator") for _ in range(4)]
    all_leased = [serving.lease(person, study) for person in people]
    assert [leased.current and leased.current.pair_id for leased in all_leased] == [pair.pk, pair.pk, pair.pk, None]
    assert all_leased[3].reason == "all_leased"
    assert all_leased[3].retry_after_s > 0
    assert slots_add_up(pair)


def test_higher_priority_first_then_in_order(study, annotator):
    ordinary, urgent = factories.pair(study), factories.pair(study, priority=5)
    leased = serving.lease(annotator, study)
    assert (leased.current.pair, leased.next.pair) == (urgent, ordinary)


@pytest.mark.parametrize("values", [{"ready": False}, {"held": "checked by a researcher"}])
def test_a_pair_that_is_not_ready_or_is_held_is_not_served(study, annotator, values):
    factories.pair(study, **values)
    assert serving.lease(annotator, study).current is None


def test_nobody_gets_an_answered_pair_again(study, annotator):
    pair = factories.pair(study, wanted=2)
    answer(serving.lease(annotator, study).current, annotator, study)
    leased = serving.lease(annotator, study)
    assert leased.current is None
    assert leased.reason == "finished"
    assert slots_add_up(pair)


def test_submitting_promotes_the_next_pair_to_a_full_lease(study, annotator):
    factories.pairs(study, 3)
    leased = serving.lease(annotator, study)
    assert leased.next.shown_at is None
    after = answer(leased.current, annotator, study, lease_next=True).leased
    assert after.current.pk == leased.next.pk
    assert after.current.shown_at is not None
    assert after.current.expires_at - timezone.now() > timedelta(seconds=study.lease_s - 60)
    assert after.next.pair_id not in {leased.current.pair_id, leased.next.pair_id}


def test_an_expired_lease_goes_to_someone_else(study, annotator):
    pair = factories.pair(study)
    expire(serving.lease(annotator, study).current)
    other = factories.member(study, "annotator")
    leased = serving.lease(other, study)
    assert leased.current.pair_id == pair.pk
    assert slots_add_up(pair)


def test_an_expired_lease_that_nobody_took_is_still_its_owners(study, annotator):
    factories.pair(study)
    first = serving.lease(annotator, study).current
    expire(first)
    again = serving.lease(annotator, study).current
    assert again.pk == first.pk
    assert again.expires_at > timezone.now()


def test_the_sweep_returns_slots_and_the_owner_may_have_the_pair_again_with_the_draft(study, annotator):
    pair = factories.pair(study)
    first = serving.lease(annotator, study).current
    submission.save_draft(first, {"helpfulness": {"correctness": "video_1"}})
    expire(first)
    assert leases.return_expired() == 1
    assert slots_add_up(pair)
    again = serving.lease(annotator, study).current
    assert again.pk == first.pk
    assert again.draft == {"helpfulness": {"correctness": "video_1"}}
    assert slots_add_up(pair)


def test_a_skipped_pair_is_free_for_others_and_gone_for_its_skipper(study, annotator):
    pair, other_pair = factories.pairs(study, 2)
    leased = serving.lease(annotator, study)
    after = skipping.skip(leased.current, annotator, reason="cannot_judge")
    assert (after.current.pair, after.next) == (other_pair, None)
    pair.refresh_from_db()
    assert pair.open_slots == 1
    other = factories.member(study, "annotator")
    assert serving.lease(other, study).current.pair_id == pair.pk


def test_skipping_or_releasing_twice_returns_one_slot(study, annotator):
    pair = factories.pair(study)
    lease = serving.lease(annotator, study).current
    serving.release(lease, annotator)
    serving.release(lease, annotator)
    assert slots_add_up(pair)
    skipping.skip(lease, annotator, reason="technical_problem")
    skipping.skip(lease, annotator, reason="technical_problem")
    assert slots_add_up(pair)


def test_an_answered_pair_cannot_be_skipped_or_released(study, annotator):
    factories.pair(study)
    lease = serving.lease(annotator, study).current
    answer(lease, annotator, study)
    with pytest.raises(Refused, match="already submitted"):
        skipping.skip(lease, annotator, reason="cannot_judge")
    with pytest.raises(Refused, match="already submitted"):
        serving.release(lease, annotator)


def test_renewing_an_expired_lease_works_while_its_slot_is_free(study, annotator):
    pair = factories.pair(study)
    lease = serving.lease(annotator, study).current
    expire(lease)
    leases.return_expired()
    renewed = serving.renew(lease, annotator)
    assert renewed.state == "leased"
    assert renewed.expires_at > timezone.now()
    assert slots_add_up(pair)


def test_renewing_fails_once_someone_else_has_the_pair(study, annotator):
    pair = factories.pair(study)
    lease = serving.lease(annotator, study).current
    expire(lease)
    serving.lease(factories.member(study, "annotator"), study)
    with pytest.raises(Refused, match="someone else"):
        serving.renew(lease, annotator)
    assert slots_add_up(pair)


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_an_ended_lease_is_not_continued_in_a_study_that_does_not_run(annotator, study, state):
    factories.pair(study)
    lease = serving.lease(annotator, study).current
    expire(lease)  # not swept yet
    study.state = state
    study.save()
    assert serving.lease(annotator, study).current is None
    lease.refresh_from_db()
    assert lease.expires_at < timezone.now()


def test_an_ended_lease_is_not_continued_during_a_break_or_past_the_daily_limit(annotator, study):
    sensitive, harmless = factories.pair(study, may_show=["crime"], priority=5), factories.pair(study)
    lease = serving.lease(annotator, study).current
    assert lease.pair_id == sensitive.pk
    expire(lease)
    Study.objects.filter(pk=study.pk).update(daily_dose_s=1)
    study.refresh_from_db()
    assert serving.lease(annotator, study).current.pair_id == harmless.pk
    lease.refresh_from_db()
    assert lease.state == "released"
    Assignment.objects.filter(state="leased").update(
        leased_at=timezone.now() - timedelta(hours=2), expires_at=timezone.now() - timedelta(hours=1)
    )
    Seat.objects.update(since_break_ms=10**9)
    leased = serving.lease(annotator, study)
    assert (leased.current, leased.reason) == (None, "break")
    assert slots_add_up(sensitive)
    assert slots_add_up(harmless)


@pytest.mark.parametrize("state", ["in_review", "accepted"])
def test_pairs_of_a_batch_that_is_being_checked_are_not_served(annotator, study, state):
    factories.pairs(study, 2)
    other = factories.pair(study, batch=factories.batch(study, number=2))
    Batch.objects.filter(number=1).update(state=state)
    leased = serving.lease(annotator, study)
    assert (leased.current.pair_id, leased.next) == (other.pk, None)


def test_the_next_pair_is_released_if_its_batch_is_now_being_checked(annotator, study):
    pairs = [factories.pair(study, batch=factories.batch(study, number=number)) for number in (1, 2, 3)]
    leased = serving.lease(annotator, study)
    assert leased.next.pair_id == pairs[1].pk
    Batch.objects.filter(number=2).update(state="in_review")
    after = answer(leased.current, annotator, study, lease_next=True).leased
    assert after.current.pair_id == pairs[2].pk
    assert all(slots_add_up(pair) for pair in pairs)


@pytest.mark.parametrize(("state", "reason"), [(Study.State.PAUSED, "paused"), (Study.State.CLOSED, "closed")])
def test_a_study_that_does_not_run_serves_no_new_pairs(annotator, study, state, reason):
    factories.pair(study)
    study.state = state
    study.save()
    leased = serving.lease(annotator, study)
    assert (leased.current, leased.reason) == (None, reason)


def test_pairs_whose_videos_are_being_prepared_are_waited_for(study, annotator):
    factories.pair(study, ready=False)
    leased = serving.lease(annotator, study)
    assert (leased.reason, leased.retry_after_s) == ("all_leased", 15)


@pytest.mark.long
def test_left_and_right_are_balanced_for_a_person(study, annotator):
    factories.pairs(study, 20)
    sides = []
    leased = serving.lease(annotator, study)
    while leased.current:
        sides.append(leased.current.left)
        leased = answer(leased.current, annotator, study, lease_next=True).leased
    assert len(sides) == 20
    assert sides.count("video_0") == 10


def test_left_and_right_are_balanced_for_a_pair(study):
    pair = factories.pair(study, wanted=4)
    for _ in range(4):
        serving.lease(factories.member(study, "annotator"), study)
    sides = list(pair.assignments.values_list("left", flat=True))
    assert sides.count("video_0") == 2


def test_dimension_order_changes_after_a_block_of_twenty(study, annotator):
    factories.pairs(study, 45)
    first = []
    leased = serving.lease(annotator, study)
    while leased.current:
        first.append(leased.current.dimension_first)
        leased = answer(leased.current, annotator, study, lease_next=True).leased
    blocks = [set(first[:20]), set(first[20:40]), set(first[40:])]
    assert all(len(block) == 1 for block in blocks)
    assert blocks[0] == blocks[2] != blocks[1]


def test_question_and_tag_orders_are_drawn_once_a_person(study, annotator):
    seat = seats.locked_seat(annotator, study)
    again = seats.locked_seat(annotator, study)
    assert (seat.question_order, seat.tag_order) == (again.question_order, again.tag_order)
    others = [seats.locked_seat(factories.member(study, "annotator"), study).tag_order for _ in range(5)]
    assert any(order != seat.tag_order for order in others)
