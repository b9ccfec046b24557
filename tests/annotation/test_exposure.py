"""What protects the people who watch: doses, breaks, harmless pairs in between, and time that is counted once."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation import exposure, exposure_reports, noting, quarantining, revisions, serving, submission, tasks
from annotation.answers import Answers
from annotation.models import Annotation, Assignment, Break, Dose, Exposure, Seat
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


# --- On which day ------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """Sets the time of day for everything: `clock(day, hour)` of May 2026."""

    def at(day, hour=12):
        moment = timezone.datetime(2026, 5, day, hour, tzinfo=timezone.get_fixed_timezone(0))
        monkeypatch.setattr(timezone, "now", lambda: moment)
        return moment

    at(1)
    return at


def by_day(person):
    rows = Dose.objects.filter(person=person, seconds__gt=0).values_list("day", "seconds")
    return {day.day: round(seconds, 3) for day, seconds in rows}


def care(video_1, *, hidden=0, **values):
    return {"revealed_s": {"video_0": 0.0, "video_1": float(video_1)}, "hidden": hidden} | values


def lease_again(person, study):
    """The lease in hand expires and is swept, and the person is given the pair once more."""
    Assignment.objects.filter(person=person, state="leased").update(
        leased_at=timezone.now() - timedelta(days=2), expires_at=timezone.now() - timedelta(days=1)
    )
    tasks.return_expired_leases()
    Seat.objects.filter(person=person).update(positions={})
    return serving.lease(person, study).current


def test_what_is_revealed_after_a_lease_was_taken_again_counts_on_its_own_day(study, annotator, clock):
    sensitive(study)
    serving.lease(annotator, study)
    clock(2)
    again = lease_again(annotator, study)
    submit(again, annotator, care=care(300))
    assert by_day(annotator) == {2: 300}


def test_what_was_revealed_before_a_lease_expired_is_not_forgotten(study, annotator, clock):
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


def test_a_shown_pair_that_comes_again_behind_another_keeps_what_was_expected_of_it(study, annotator, clock):
    """Shown and not reported; then given as the next pair, never shown, and expired."""
    first = sensitive(study, wanted=2)[0]
    serving.lease(annotator, study)
    Assignment.objects.update(leased_at=clock(1, 10), expires_at=clock(1, 11))
    clock(1)
    tasks.return_expired_leases()
    assert by_day(annotator) == {1: 8}
    urgent = factories.pair(study, priority=9)
    Seat.objects.update(positions={})
    desk = serving.lease(annotator, study)
    assert (desk.current.pair_id, desk.next.pair_id) == (urgent.pk, first.pk)
    Assignment.objects.update(leased_at=clock(1, 10), expires_at=clock(1, 11))
    clock(1)
    tasks.return_expired_leases()
    assert by_day(annotator) == {1: 8}


def test_the_next_pair_that_is_shown_after_midnight_is_expected_on_the_new_day(study, annotator, clock):
    sensitive(study, 2)
    desk = serving.lease(annotator, study)
    assert by_day(annotator) == {1: 16}
    clock(2)
    after = submit(desk.current, annotator, care=care(5), lease_next=True).desk
    assert after.current.pk == desk.next.pk
    assert by_day(annotator) == {2: 13}
    assert after.seat.dose_s == 13


def test_a_page_says_on_which_days_it_revealed_what_it_reports_late(study, annotator, clock):
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


def test_reports_that_come_twice_or_in_another_order_count_once(study, annotator, clock):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    for seconds in (10, 25, 10, 25, 20):
        exposure_reports.take_report(lease, annotator, care(seconds, hidden=1, showing="a"))
    later = care(7, showing="b", earlier=[care(26, hidden=2, showing="a")])
    for _ in range(2):
        exposure_reports.take_report(lease, annotator, later)
    assert by_day(annotator) == {1: 33}
    assert Exposure.objects.get().hidden == 2


def test_while_a_lease_lives_what_is_left_of_the_estimate_is_expected(study, annotator, clock):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    exposure_reports.take_report(lease, annotator, care(5))
    row = Exposure.objects.get()
    assert (row.revealed_s, row.expected_s, by_day(annotator)) == (5, 3, {1: 8})
    serving.release(lease, annotator)
    tasks.return_expired_leases()
    assert by_day(annotator) == {1: 5}


def test_what_a_revision_reveals_counts_on_the_day_of_the_revision(study, annotator, clock):
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
def test_what_was_revealed_before_a_refusal_counts(study, annotator, api, verb):
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


def test_the_api_books_what_is_revealed_whatever_became_of_the_pair(study, annotator, api):
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


def test_renewing_reports_what_was_revealed_even_where_it_is_refused(study, annotator, api):
    sensitive(study)
    lease = serving.lease(annotator, study).current
    client = api(annotator)
    assert client.post(reverse("api:renew", args=[lease.pk]), {"care": care(6)}, format="json").status_code == 200
    assert dose(annotator) == 8
    serving.release(lease, annotator)
    Pair.objects.update(open_slots=0, wanted=0)
    assert client.post(reverse("api:renew", args=[lease.pk]), {"care": care(9)}, format="json").status_code == 409
    assert dose(annotator) == 9


def test_moving_to_another_time_zone_leaves_what_is_booked(study, clock):
    person = factories.member(study, "annotator", time_zone="Pacific/Auckland")
    sensitive(study)
    clock(1, 14)  # there it is the second of May already
    lease = serving.lease(person, study).current
    exposure_reports.take_report(lease, person, care(20))
    person.time_zone = "America/Los_Angeles"
    person.save()
    submit(lease, person, care=care(30))
    assert by_day(person) == {1: 10, 2: 20}


# --- Controls -----------------------------------------------------------------------------------------------


def controls(study, **values):
    """Every pair of the study that is due is a control, as far as there are any."""
    study.control_rate = 0.5
    study.save()
    return factories.pair(study, kind="control", expected={}, **values)


@pytest.fixture
def always_a_control(monkeypatch):
    monkeypatch.setattr("annotation.draws.is_control", lambda *_: True)


@pytest.mark.usefixtures("always_a_control")
class TestControls:
    def test_one_that_may_show_harm_counts(self, study, annotator):
        control = controls(study, may_show=["crime"])
        assert (control.lane, serving.lease(annotator, study).current.pair_id) == (Pair.Lane.SENSITIVE, control.pk)
        assert dose(annotator) == 8

    def test_one_that_may_show_harm_waits_when_the_cap_is_reached(self, study, annotator):
        study.daily_dose_s = 5
        controls(study, may_show=["crime"], priority=9)
        harmless = controls(study)
        Dose.objects.create(person=annotator, day=timezone.now().date(), seconds=6)
        real = factories.pair(study)
        desk = serving.lease(annotator, study)
        assert [desk.current.pair_id, desk.next.pair_id] == [harmless.pk, real.pk]

    def test_one_that_was_fetched_before_is_given_back_when_the_cap_is_reached(self, study, annotator):
        study.daily_dose_s = 100
        study.save()
        factories.pair(study, priority=9, may_show=["crime"])
        desk = serving.lease(annotator, study)
        control = controls(study, may_show=["crime"])
        desk = serving.lease(annotator, study)
        assert desk.next.pair_id == control.pk
        after = submit(desk.current, annotator, care=care(200), lease_next=True).desk
        assert after.current is None
        assert Assignment.objects.get(pair=control).state == "released"

    def test_one_that_shows_what_the_person_left_out_is_never_given(self, study, annotator):
        controls(study, may_show=["crime"])
        Seat.objects.update(excluded=["crime"])
        real = factories.pair(study)
        desk = serving.lease(annotator, study)
        assert (desk.current.pair_id, desk.next) == (real.pk, None)

    def test_after_so_many_in_a_row_it_must_be_a_harmless_one(self, study, annotator):
        study.harmless_after = 1
        for _ in range(2):
            controls(study, may_show=["crime"], priority=9)
        harmless = controls(study)
        desk = serving.lease(annotator, study)
        assert desk.current.pair.lane == Pair.Lane.SENSITIVE
        assert desk.next.pair_id == harmless.pk

    def test_a_harmless_one_is_a_harmless_pair_in_between(self, study, annotator):
        controls(study)
        Seat.objects.update(sensitive_run=7)
        serving.lease(annotator, study)
        assert Seat.objects.get().sensitive_run == 0

    def test_each_person_is_given_each_once_from_either_lane(self, study, annotator):
        wanted = {controls(study).pk, controls(study, may_show=["crime"]).pk, controls(study, may_show=["hate"]).pk}
        given, desk = [], serving.lease(annotator, study)
        while desk.current:
            given.append(desk.current.pair_id)
            desk = submit(desk.current, annotator, care=care(1), lease_next=True).desk
        assert (set(given), len(given)) == (wanted, 3)


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
