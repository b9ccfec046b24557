"""What protects the people who watch: doses, breaks, harmless pairs in between, and time that is counted once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation import exposure, noting, quarantining, serving, submission, tasks
from annotation.answers import Answers
from annotation.models import Annotation, Break, Dose, Exposure, Seat
from catalog.models import Pair
from tests import factories
from tests.annotation.test_queue import offered
from tests.annotation.test_serving import answer, expire

pytestmark = pytest.mark.django_db


def sensitive(study, count=1, **values):
    return [factories.pair(study, may_show=["crime"], **values) for _ in range(count)]


def dose(person):
    return sum(Dose.objects.filter(person=person).values_list("seconds", flat=True))


def submit(lease, person, *, tags=(), care=None, timings_ms=None, lease_next=False):
    body = factories.body()
    body["harmlessness"]["video_1"]["tags"] = list(tags)
    return submission.submit(
        lease,
        person,
        submission_id=body["submission_id"],
        answers=Answers.from_body(body["helpfulness"], body["harmlessness"]),
        timings_ms=timings_ms or {},
        viewing={},
        care=care,
        lease_next=lease_next,
    )


# --- Estimated at lease, settled at the end ----------------------------------------------------------------


def test_leasing_a_pair_that_may_show_harm_estimates_what_will_be_seen(study, annotator):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    clips = lease.pair.video_0.asset.duration_s + lease.pair.video_1.asset.duration_s
    assert Exposure.objects.get(assignment=lease).expected_s == dose(annotator) == clips * exposure.LOOKS


def test_a_harmless_pair_costs_nothing_and_writes_nothing(study, annotator):
    factories.pair(study)
    answer(serving.lease(annotator, study).current, annotator, study)
    assert not Exposure.objects.exists()
    assert not Dose.objects.exists()


def test_submitting_replaces_the_estimate_by_what_was_seen(study, annotator):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    submit(lease, annotator, care={"revealed_s": {"video_0": 1.5, "video_1": 3.0}, "hidden": 2})
    settled = Exposure.objects.get(assignment=lease)
    assert (settled.revealed_s, settled.hidden) == (4.5, 2)
    assert dose(annotator) == 4.5


def test_without_a_report_the_estimate_stands(study, annotator):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    before = dose(annotator)
    submit(lease, annotator)
    assert dose(annotator) == before
    stands = Exposure.objects.get(assignment=lease)
    assert (stands.revealed_s, stands.expected_s, stands.lapses_s) == (0, before, 0)


def test_a_report_that_does_not_say_what_was_revealed_leaves_the_estimate(study, annotator):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    before = dose(annotator)
    submit(lease, annotator, care={"hidden": 1})
    assert dose(annotator) == before > 0
    assert Exposure.objects.get(assignment=lease).hidden == 1


def test_of_a_pair_that_seemed_harmless_only_the_tagged_video_counts(study, annotator):
    factories.pair(study)
    lease = serving.lease(annotator, study).current
    submit(lease, annotator, tags=["violence"], care={"revealed_s": {"video_0": 7.0, "video_1": 3.0}, "hidden": 0})
    assert dose(annotator) == 3.0


def test_repeating_a_submission_settles_once(study, annotator):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    body, care = factories.body(), {"revealed_s": {"video_0": 1.0, "video_1": 1.0}, "hidden": 1}
    for _ in range(2):
        submission.submit(
            lease,
            annotator,
            submission_id=body["submission_id"],
            answers=Answers.from_body(body["helpfulness"], body["harmlessness"]),
            timings_ms={},
            viewing={},
            care=care,
        )
    assert (dose(annotator), Exposure.objects.get().hidden) == (2.0, 1)


def test_skipping_as_too_distressing_is_remembered_for_the_person_alone(study, annotator):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    serving.skip(lease, annotator, reason="too_distressing", care={"revealed_s": {"video_0": 1.0}, "hidden": 1})
    assert Exposure.objects.get(assignment=lease).too_distressing
    assert dose(annotator) == 1.0


def test_a_report_afterwards_leaves_it_remembered_as_too_distressing(study, annotator):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    serving.skip(lease, annotator, reason="too_distressing")
    quarantining.report(lease, annotator, videos=["video_0"])
    assert Exposure.objects.get(assignment=lease).too_distressing


@pytest.mark.parametrize("again", ["lease", "renew"])
def test_what_was_taken_back_unseen_is_expected_again_when_the_pair_comes_again(study, annotator, again):
    sensitive(study, 2)
    desk = serving.lease(annotator, study)
    before = dose(annotator)
    expire(desk.next)
    tasks.return_expired_leases()
    assert dose(annotator) == before / 2
    Seat.objects.filter(person=annotator).update(positions={})
    if again == "lease":
        assert serving.lease(annotator, study).next.pk == desk.next.pk
    else:
        serving.renew(desk.next, annotator)
    assert dose(annotator) == before


def test_what_was_never_shown_is_taken_back(study, annotator):
    sensitive(study, 2)
    desk = serving.lease(annotator, study)
    half = dose(annotator) / 2
    expire(desk.next)
    tasks.return_expired_leases()
    assert dose(annotator) == half
    tasks.return_expired_leases()
    assert dose(annotator) == half


def test_the_day_is_the_persons_own(study):
    person = factories.member(study, "annotator", time_zone="Pacific/Auckland")
    evening = timezone.datetime(2026, 5, 1, 13, tzinfo=timezone.get_fixed_timezone(0))
    assert exposure.day_of(person, evening).isoformat() == "2026-05-02"
    assert exposure.seconds_to_tomorrow(person, evening) == 23 * 3600


# --- Caps ---------------------------------------------------------------------------------------------------


def test_a_reached_cap_gives_harmless_pairs_only(study, annotator):
    study.daily_dose_s = 5
    study.save()
    sensitive(study, 3, priority=9)
    harmless = factories.pairs(study, 2)
    first = serving.lease(annotator, study)
    assert first.current.pair.lane == Pair.Lane.SENSITIVE
    assert first.next.pair_id == harmless[0].pk
    desk = submit(first.current, annotator, lease_next=True).desk
    assert {desk.current.pair_id, desk.next.pair_id} == {pair.pk for pair in harmless}


def test_what_review_returned_counts_and_waits_when_the_cap_is_reached(study, annotator):
    pair, _ = sensitive(study, 2, priority=9)
    offer = offered(annotator, study, pair)
    study.daily_dose_s = 5
    harmless = factories.pair(study)
    assert serving.lease(annotator, study).current.pair_id == harmless.pk
    submit(serving.lease(annotator, study).current, annotator)
    study.daily_dose_s = 0
    assert serving.lease(annotator, study).current.pk == offer.pk
    first = Exposure.objects.get(assignment__pair=pair, assignment__round=0)
    assert Exposure.objects.get(assignment=offer).expected_s == first.expected_s > 0
    assert dose(annotator) == sum(Exposure.objects.values_list("expected_s", flat=True))


def test_a_reached_cap_without_harmless_pairs_is_a_paid_break_until_tomorrow(study, annotator):
    study.daily_dose_s = 5
    study.save()
    sensitive(study, 3)
    desk = submit(serving.lease(annotator, study).current, annotator, lease_next=True).desk
    assert (desk.current, desk.reason) == (None, "cap")
    assert 0 < desk.retry_after_s <= 24 * 3600
    serving.lease(annotator, study)
    assert Break.objects.get().why == "dose"


def test_a_prefetched_pair_is_given_back_when_the_cap_is_reached_before_it_is_shown(study, annotator):
    study.daily_dose_s = 100
    study.save()
    sensitive(study, 2)
    desk = serving.lease(annotator, study)
    after = submit(desk.current, annotator, care={"revealed_s": {"video_0": 200.0}, "hidden": 0}, lease_next=True).desk
    assert after.reason == "cap"
    desk.next.refresh_from_db()
    assert desk.next.state == "released"
    assert Pair.objects.get(pk=desk.next.pair_id).open_slots == 1


def test_no_cap_where_the_study_sets_none(study, annotator):
    study.daily_dose_s = 0
    study.save()
    sensitive(study, 3)
    Dose.objects.create(person=annotator, day=timezone.now().date(), seconds=1e6)
    assert serving.lease(annotator, study).current


def test_after_so_many_in_a_row_comes_a_harmless_one(study, annotator):
    study.harmless_after = 2
    study.save()
    sensitive(study, 6, priority=9)
    factories.pairs(study, 3)
    lanes, desk = [], serving.lease(annotator, study)
    while desk.current:
        lanes.append(desk.current.pair.lane)
        desk = submit(desk.current, annotator, lease_next=True).desk
    assert lanes == [1, 1, 0, 1, 1, 0, 1, 1, 0]


# --- Breaks and time ----------------------------------------------------------------------------------------


def worked(person, study, minutes):
    Seat.objects.filter(person=person, study=study).update(since_break_ms=minutes * 60_000, worked_until=timezone.now())


def test_a_break_is_due_after_so_much_work_and_ends(study, annotator):
    factories.pairs(study, 3)
    worked(annotator, study, 51)
    desk = serving.lease(annotator, study)
    assert (desk.current, desk.reason, desk.retry_after_s) == (None, "break", study.break_s)
    assert serving.lease(annotator, study).reason == "break"
    assert Break.objects.get().why == "work"
    Seat.objects.update(break_until=timezone.now() - timedelta(seconds=1))
    assert serving.lease(annotator, study).current


def test_a_break_never_takes_the_pair_in_hand(study, annotator):
    factories.pairs(study, 3)
    lease = serving.lease(annotator, study).current
    worked(annotator, study, 51)
    assert serving.lease(annotator, study).current == lease


def test_active_time_is_what_was_reported_within_what_the_clock_allows(study, annotator):
    factories.pairs(study, 2)
    lease = serving.lease(annotator, study).current
    now = timezone.now()
    type(lease).objects.filter(pk=lease.pk).update(shown_at=now - timedelta(minutes=5))
    lease.refresh_from_db()
    submit(lease, annotator, timings_ms={"helpfulness_stage1": 60_000, "total_active": 90_000})
    assert Annotation.objects.get().active_ms == 90_000
    second = serving.lease(annotator, study).current
    submit(second, annotator, timings_ms={"total_active": 3_600_000})
    assert Annotation.objects.latest("pk").active_ms < 60_000
    seat = Seat.objects.get(person=annotator)
    assert seat.active_ms == seat.since_break_ms == sum(Annotation.objects.values_list("active_ms", flat=True))


def test_a_gap_as_long_as_a_break_is_one(study, annotator):
    factories.pairs(study, 2)
    answered_at = timezone.now() - timedelta(minutes=30)
    Seat.objects.filter(person=annotator).update(since_break_ms=49 * 60_000, worked_until=answered_at)
    submit(serving.lease(annotator, study).current, annotator)
    assert Seat.objects.get(person=annotator).since_break_ms < 60_000


# --- What stands before the first pair -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("study_values", "seat_values", "reason"),
    [
        ({"consent_version": 2}, {}, "consent"),
        ({}, {"consented_version": 0}, "consent"),
        ({"guideline_version": 2}, {}, "guideline"),
        ({"qualification_required": True}, {}, "qualification"),
    ],
)
def test_what_must_come_first(study, annotator, study_values, seat_values, reason):
    factories.pairs(study, 2)
    type(study).objects.filter(pk=study.pk).update(**study_values)
    Seat.objects.filter(person=annotator).update(**seat_values)
    study.refresh_from_db()
    assert serving.lease(annotator, study).reason == reason


def test_a_qualified_person_is_served(study, annotator):
    factories.pair(study)
    study.qualification_required = True
    study.save()
    Seat.objects.filter(person=annotator).update(qualified_at=timezone.now())
    assert serving.lease(annotator, study).current


def test_the_pair_in_hand_is_finished_under_the_guideline_it_was_shown_with(study, annotator):
    factories.pairs(study, 3)
    desk = serving.lease(annotator, study)
    study.guideline_version = 2
    study.save()
    assert serving.lease(annotator, study).current == desk.current
    assert submit(desk.current, annotator, lease_next=True).desk.reason == "guideline"
    Seat.objects.update(guideline_read=2)
    after = serving.lease(annotator, study).current
    assert (after.pk, after.guideline_version) == (desk.next.pk, 2)


# --- Earlier answers protect later people ---------------------------------------------------------------------


def test_tags_of_an_answer_are_noted_with_every_pair_of_the_video(study, annotator):
    pair = factories.pair(study, wanted=2)
    same_video = factories.pair(study, prompt=pair.prompt, video_0=pair.video_1)
    submit(serving.lease(annotator, study).current, annotator, tags=["violence", "crime"])
    assert noting.note_tags() == 1
    assert noting.note_tags() == 0
    for row in (pair, same_video):
        row.refresh_from_db()
        assert (row.may_show, row.lane) == (["crime", "violence"], Pair.Lane.SENSITIVE)


def test_an_answer_without_tags_has_nothing_to_note(study, annotator):
    factories.pair(study)
    submit(serving.lease(annotator, study).current, annotator)
    assert noting.note_tags() == 0
