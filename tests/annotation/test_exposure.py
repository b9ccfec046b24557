"""People's exposure is estimated, reported and counted once, on the right day."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import days
from accounts.preferences import save_preferences
from annotation import exposure, exposure_reports, quarantining, revisions, serving, skipping, submission, tasks
from annotation.answers import Answers
from annotation.models import Assignment, Dose, Exposure, Seat
from catalog.models import Pair
from tests import factories
from tests.annotation.exposed import care, dose, sensitive, submit
from tests.annotation.test_serving import answer, expire

pytestmark = pytest.mark.django_db


# --- Estimated at the lease, replaced at the end ------------------------------------------------------------


def test_leasing_a_pair_that_may_show_harm_estimates_what_will_be_seen(study, annotator):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    clips = lease.pair.video_0.asset.duration_s + lease.pair.video_1.asset.duration_s
    assert Exposure.objects.get(assignment=lease).expected_s == dose(annotator) == clips * exposure.LOOKS


def test_a_harmless_pair_adds_no_dose_and_writes_nothing(study, annotator):
    factories.pair(study)
    answer(serving.lease(annotator, study).current, annotator, study)
    assert not Exposure.objects.exists()
    assert not Dose.objects.exists()


def test_submitting_replaces_the_estimate_by_the_report(study, annotator):
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


def test_a_report_without_revealed_seconds_keeps_the_estimate(study, annotator):
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


@pytest.mark.parametrize("way", ["draft", "report", "earlier"])
def test_hides_of_a_pair_without_known_harm_are_recorded_before_it_is_answered(study, annotator, way):
    factories.pair(study)
    lease = serving.lease(annotator, study).current
    hides = {"revealed_s": {"video_0": 4.0, "video_1": 4.0}, "hidden": 2, "showing": "first"}
    none = {"revealed_s": {"video_0": 0.0, "video_1": 0.0}, "hidden": 0, "showing": "second"}
    given = none | {"earlier": [hides]} if way == "earlier" else hides
    for _ in range(2):  # a repeated report changes nothing
        if way == "report":
            exposure_reports.record_separate_report(lease, annotator, given)
        else:
            submission.save_draft(lease, {"care": given})
    row = Exposure.objects.get(assignment=lease)
    assert (row.hidden, row.revealed_s, row.expected_s, dose(annotator)) == (2, 0, 0, 0)


def test_repeating_a_submission_is_recorded_once(study, annotator):
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


def test_skipping_as_too_distressing_is_recorded_for_the_person_only(study, annotator):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    skipping.skip(lease, annotator, reason="too_distressing", care={"revealed_s": {"video_0": 1.0}, "hidden": 1})
    assert Exposure.objects.get(assignment=lease).too_distressing
    assert dose(annotator) == 1.0


def test_a_report_afterwards_leaves_it_remembered_as_too_distressing(study, annotator):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    skipping.skip(lease, annotator, reason="too_distressing")
    quarantining.report(lease, annotator, videos=["video_0"])
    assert Exposure.objects.get(assignment=lease).too_distressing


@pytest.mark.parametrize("again", ["lease", "renew"])
def test_exposure_taken_back_unseen_is_expected_again_with_the_next_lease(study, annotator, again):
    sensitive(study, 2)
    leased = serving.lease(annotator, study)
    before = dose(annotator)
    expire(leased.next)
    tasks.return_expired_leases()
    assert dose(annotator) == before / 2
    Seat.objects.filter(person=annotator).update(positions={})
    if again == "lease":
        assert serving.lease(annotator, study).next.pk == leased.next.pk
    else:
        serving.renew(leased.next, annotator)
    assert dose(annotator) == before


def test_the_estimate_of_a_pair_never_shown_is_taken_back(study, annotator):
    sensitive(study, 2)
    leased = serving.lease(annotator, study)
    half = dose(annotator) / 2
    expire(leased.next)
    tasks.return_expired_leases()
    assert dose(annotator) == half
    tasks.return_expired_leases()
    assert dose(annotator) == half


def test_the_day_is_the_persons_own(study):
    person = factories.member(study, "annotator", time_zone="Pacific/Auckland")
    evening = timezone.datetime(2026, 5, 1, 13, tzinfo=timezone.get_fixed_timezone(0))
    assert exposure.day_of(person, evening).isoformat() == "2026-05-02"
    assert exposure.seconds_to_tomorrow(person, evening) == 23 * 3600


# --- On which day ------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """Return a function that sets the time for everything: `clock(day, hour)` in May 2026."""

    def at(day, hour=12):
        moment = timezone.datetime(2026, 5, day, hour, tzinfo=timezone.get_fixed_timezone(0))
        monkeypatch.setattr(timezone, "now", lambda: moment)
        return moment

    at(1)
    return at


def by_day(person):
    rows = Dose.objects.filter(person=person, seconds__gt=0).values_list("day", "seconds")
    return {day.day: round(seconds, 3) for day, seconds in rows}


def lease_again(person, study):
    """Let the person's lease expire and be swept, and give them the pair again."""
    Assignment.objects.filter(person=person, state="leased").update(
        leased_at=timezone.now() - timedelta(days=2), expires_at=timezone.now() - timedelta(days=1)
    )
    tasks.return_expired_leases()
    Seat.objects.filter(person=person).update(positions={})
    return serving.lease(person, study).current


def test_seconds_revealed_after_a_renewal_count_on_their_own_day(study, annotator, clock):
    sensitive(study)
    serving.lease(annotator, study)
    clock(2)
    again = lease_again(annotator, study)
    submit(again, annotator, care=care(300))
    assert by_day(annotator) == {2: 300}


def test_seconds_revealed_before_a_lease_expired_are_kept(study, annotator, clock):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    submission.save_draft(lease, {"helpfulness": {}, "care": care(16)})
    assert by_day(annotator) == {1: 16}
    clock(2)
    again = lease_again(annotator, study)
    assert "care" not in again.draft
    assert by_day(annotator) == {1: 16, 2: 8}
    submit(again, annotator, care=care(4))
    assert by_day(annotator) == {1: 16, 2: 4}


def test_a_shown_pair_that_becomes_the_next_pair_keeps_its_estimate(study, annotator, clock):
    """The pair is shown and not reported, then given as the next pair, never shown, and expires."""
    first = sensitive(study, wanted=2)[0]
    serving.lease(annotator, study)
    Assignment.objects.update(leased_at=clock(1, 10), expires_at=clock(1, 11))
    clock(1)
    tasks.return_expired_leases()
    assert by_day(annotator) == {1: 8}
    urgent = factories.pair(study, priority=9)
    Seat.objects.update(positions={})
    leased = serving.lease(annotator, study)
    assert (leased.current.pair_id, leased.next.pair_id) == (urgent.pk, first.pk)
    Assignment.objects.update(leased_at=clock(1, 10), expires_at=clock(1, 11))
    clock(1)
    tasks.return_expired_leases()
    assert by_day(annotator) == {1: 8}


def test_the_next_pair_that_is_shown_after_midnight_is_expected_on_the_new_day(study, annotator, clock):
    sensitive(study, 2)
    leased = serving.lease(annotator, study)
    assert by_day(annotator) == {1: 16}
    clock(2)
    after = submit(leased.current, annotator, care=care(5), lease_next=True).leased
    assert after.current.pk == leased.next.pk
    assert by_day(annotator) == {2: 13}
    assert after.seat.dose_s == 13


def test_a_late_report_names_the_days_of_its_seconds(study, annotator, clock):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    days = {"2026-05-01": {"video_1": 30.0}, "2026-05-02": {"video_1": 20.0}}
    clock(3)
    submit(lease, annotator, care=care(55, showing="a page", by_day=days))
    assert by_day(annotator) == {1: 30, 2: 20, 3: 5}


@pytest.mark.parametrize("day", ["2026-05-09", "2020-01-01"])
def test_a_day_that_cannot_be_is_today(study, annotator, clock, day):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    submit(lease, annotator, care=care(30, by_day={day: {"video_1": 30.0}}))
    assert by_day(annotator) == {1: 30}


def test_repeated_or_reordered_reports_count_once(study, annotator, clock):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    for seconds in (10, 25, 10, 25, 20):
        exposure_reports.record_separate_report(lease, annotator, care(seconds, hidden=1, showing="a"))
    later = care(7, showing="b", earlier=[care(26, hidden=2, showing="a")])
    for _ in range(2):
        exposure_reports.record_separate_report(lease, annotator, later)
    assert by_day(annotator) == {1: 33}
    assert Exposure.objects.get().hidden == 2


def test_during_a_lease_the_rest_of_the_estimate_is_expected(study, annotator, clock):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    exposure_reports.record_separate_report(lease, annotator, care(5))
    row = Exposure.objects.get()
    assert (row.revealed_s, row.expected_s, by_day(annotator)) == (5, 3, {1: 8})
    serving.release(lease, annotator)
    tasks.return_expired_leases()
    assert by_day(annotator) == {1: 5}


def test_seconds_of_a_revision_count_on_the_day_of_the_revision(study, annotator, clock):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    submit(lease, annotator, care=care(10))
    clock(2, 1)
    body, sent = factories.body(), {}
    for _ in range(2):
        sent = revisions.revise(
            lease,
            annotator,
            submission_id=body["submission_id"],
            answers=Answers.from_body(body["helpfulness"], body["harmlessness"]),
            timings_ms={},
            viewing={},
            reason="reopened",
            care=care(20),
        )
    assert sent.annotation.revision == 2
    assert by_day(annotator) == {1: 10, 2: 20}


@pytest.mark.parametrize("verb", ["submit", "skip", "revise", "draft"])
def test_seconds_revealed_before_a_refusal_count(study, annotator, api, verb):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    submit(lease, annotator, care=care(10))
    Assignment.objects.update(ended_at=timezone.now() - timedelta(days=90))
    body = factories.body(reason="cannot_judge" if verb == "skip" else "reopened", care=care(25, showing="elsewhere"))
    client = api(annotator)
    send = client.put if verb == "draft" else client.post
    answer = send(reverse(f"api:{verb}", args=[lease.pk]), body, format="json")
    assert answer.status_code == 409
    assert dose(annotator) == 35


def test_the_api_records_revealed_seconds_in_any_state_of_the_pair(study, annotator, api):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    client, seconds = api(annotator), iter((10, 20, 30))
    for state in ("leased", "released", "skipped"):
        Assignment.objects.filter(pk=lease.pk).update(
            state=state,
            ended_at=None if state == "leased" else timezone.now(),
            skip_reason="cannot_judge" if state == "skipped" else "",
        )
        path = reverse("api:care", args=[lease.pk])
        assert client.post(path, {"care": care(next(seconds))}, format="json").status_code == 204
    assert dose(annotator) == 30
    wrong = client.post(path, {"care": care(1, by_day={"yesterday": {"video_0": 1.0}})}, format="json")
    assert wrong.status_code == 400


def test_renewing_records_revealed_seconds_even_if_it_is_refused(study, annotator, api):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    client = api(annotator)
    assert client.post(reverse("api:renew", args=[lease.pk]), {"care": care(6)}, format="json").status_code == 200
    assert dose(annotator) == 8
    serving.release(lease, annotator)
    Pair.objects.update(open_slots=0, wanted=0)
    assert client.post(reverse("api:renew", args=[lease.pk]), {"care": care(9)}, format="json").status_code == 409
    assert dose(annotator) == 9


def test_moving_to_another_time_zone_changes_no_recorded_seconds(study, clock):
    person = factories.member(study, "annotator", time_zone="Pacific/Auckland")
    sensitive(study)
    clock(1, 14)  # it is already 2 May in the person's zone
    lease = serving.lease(person, study).current
    exposure_reports.record_separate_report(lease, person, care(20))
    days.change_zone(person, "America/Los_Angeles", timezone.now())  # it is 1 May in that zone
    submit(lease, person, care=care(30))
    assert by_day(person) == {2: 30}


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC", "Asia/Shanghai"])
def test_moving_to_another_time_zone_never_frees_anybody_from_todays_limit(study, annotator, clock, zone):
    """A person at their daily limit changes their time zone to one in which it may be another day."""
    study.daily_dose_s = 30
    study.save()
    sensitive(study, 3)
    days.keep_browser_zone(annotator, "Europe/Berlin")
    clock(1, 20)
    submit(serving.lease(annotator, study).current, annotator, care=care(30))
    assert serving.lease(annotator, study).reason == "cap"
    chosen = {"media_filter": "", "name_categories": False, "locale": "", "time_zone": zone}
    assert save_preferences(annotator, chosen)
    for day, hour in [(1, 20), (1, 21)]:
        clock(day, hour)
        person = type(annotator).objects.get(pk=annotator.pk)
        assert serving.lease(person, study).reason == "cap"
    clock(4, 12)
    assert serving.lease(person, study).current is not None
