"""Protection of annotators: controls, daily limits, breaks, and the conditions before the first pair."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation import harm_propagation, serving
from annotation.models import Annotation, Assignment, Break, Dose, Exposure, Seat
from catalog.models import Pair
from tests import factories
from tests.annotation.exposed import care, dose, sensitive, submit
from tests.annotation.test_queue import offered

pytestmark = pytest.mark.django_db


# --- Controls -----------------------------------------------------------------------------------------------


def controls(study, **values):
    """Make every due pair of the study a control, while there are any."""
    study.control_rate = 0.05
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
        leased = serving.lease(annotator, study)
        assert [leased.current.pair_id, leased.next.pair_id] == [harmless.pk, real.pk]

    def test_one_that_was_prefetched_is_released_when_the_cap_is_reached(self, study, annotator):
        study.daily_dose_s = 100
        study.save()
        factories.pair(study, priority=9, may_show=["crime"])
        leased = serving.lease(annotator, study)
        control = controls(study, may_show=["crime"])
        leased = serving.lease(annotator, study)
        assert leased.next.pair_id == control.pk
        after = submit(leased.current, annotator, care=care(200), lease_next=True).leased
        assert after.current is None
        assert Assignment.objects.get(pair=control).state == "released"

    def test_one_with_a_left_out_harm_is_never_served(self, study, annotator):
        controls(study, may_show=["crime"])
        Seat.objects.update(excluded=["crime"])
        real = factories.pair(study)
        leased = serving.lease(annotator, study)
        assert (leased.current.pair_id, leased.next) == (real.pk, None)

    def test_after_the_set_number_in_a_row_it_must_be_a_harmless_one(self, study, annotator):
        study.harmless_after = 1
        for _ in range(2):
            controls(study, may_show=["crime"], priority=9)
        harmless = controls(study)
        leased = serving.lease(annotator, study)
        assert leased.current.pair.lane == Pair.Lane.SENSITIVE
        assert leased.next.pair_id == harmless.pk

    def test_a_harmless_one_is_a_harmless_pair_in_between(self, study, annotator):
        controls(study)
        Seat.objects.update(sensitive_run=7)
        serving.lease(annotator, study)
        assert Seat.objects.get().sensitive_run == 0

    def test_each_person_gets_each_once_from_either_lane(self, study, annotator):
        wanted = {controls(study).pk, controls(study, may_show=["crime"]).pk, controls(study, may_show=["hate"]).pk}
        given, leased = [], serving.lease(annotator, study)
        while leased.current:
            given.append(leased.current.pair_id)
            leased = submit(leased.current, annotator, care=care(1), lease_next=True).leased
        assert (set(given), len(given)) == (wanted, 3)


# --- Caps ---------------------------------------------------------------------------------------------------


def test_at_the_cap_only_harmless_pairs_are_served(study, annotator):
    study.daily_dose_s = 5
    study.save()
    sensitive(study, 3, priority=9)
    harmless = factories.pairs(study, 2)
    first = serving.lease(annotator, study)
    assert first.current.pair.lane == Pair.Lane.SENSITIVE
    assert first.next.pair_id == harmless[0].pk
    leased = submit(first.current, annotator, lease_next=True).leased
    assert {leased.current.pair_id, leased.next.pair_id} == {pair.pk for pair in harmless}


def test_a_returned_pair_counts_and_waits_when_the_cap_is_reached(study, annotator):
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
    leased = submit(serving.lease(annotator, study).current, annotator, lease_next=True).leased
    assert (leased.current, leased.reason) == (None, "cap")
    assert 0 < leased.retry_after_s <= 24 * 3600
    serving.lease(annotator, study)
    assert Break.objects.get().why == "dose"


def test_a_prefetched_pair_is_released_when_the_cap_is_reached_before_it_is_shown(study, annotator):
    study.daily_dose_s = 100
    study.save()
    sensitive(study, 2)
    leased = serving.lease(annotator, study)
    after = submit(
        leased.current, annotator, care={"revealed_s": {"video_0": 200.0}, "hidden": 0}, lease_next=True
    ).leased
    assert after.reason == "cap"
    leased.next.refresh_from_db()
    assert leased.next.state == "released"
    assert Pair.objects.get(pk=leased.next.pair_id).open_slots == 1


def test_no_cap_where_the_study_sets_none(study, annotator):
    study.daily_dose_s = 0
    study.save()
    sensitive(study, 3)
    Dose.objects.create(person=annotator, day=timezone.now().date(), seconds=1e6)
    assert serving.lease(annotator, study).current


def test_after_the_set_number_in_a_row_comes_a_harmless_one(study, annotator):
    study.harmless_after = 2
    study.save()
    sensitive(study, 6, priority=9)
    factories.pairs(study, 3)
    lanes, leased = [], serving.lease(annotator, study)
    while leased.current:
        lanes.append(leased.current.pair.lane)
        leased = submit(leased.current, annotator, lease_next=True).leased
    assert lanes == [1, 1, 0, 1, 1, 0, 1, 1, 0]


# --- Breaks and time ----------------------------------------------------------------------------------------


def worked(person, study, minutes):
    Seat.objects.filter(person=person, study=study).update(since_break_ms=minutes * 60_000, worked_until=timezone.now())


def test_a_break_is_due_after_the_set_time_of_work_and_ends(study, annotator):
    factories.pairs(study, 3)
    worked(annotator, study, 51)
    leased = serving.lease(annotator, study)
    assert (leased.current, leased.reason, leased.retry_after_s) == (None, "break", study.break_s)
    assert serving.lease(annotator, study).reason == "break"
    assert Break.objects.get().why == "work"
    Seat.objects.update(break_until=timezone.now() - timedelta(seconds=1))
    assert serving.lease(annotator, study).current


def test_a_break_never_takes_the_current_pair(study, annotator):
    factories.pairs(study, 3)
    lease = serving.lease(annotator, study).current
    worked(annotator, study, 51)
    assert serving.lease(annotator, study).current == lease


def test_active_time_is_the_reported_time_limited_by_the_clock(study, annotator):
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


# --- Conditions before the first pair ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("study_values", "seat_values", "reason"),
    [
        ({"consent_version": 2}, {}, "consent"),
        ({}, {"consented_version": 0}, "consent"),
        ({"guideline_version": 2}, {}, "guideline"),
        ({"qualification_required": True}, {}, "qualification"),
    ],
)
def test_conditions_before_the_first_pair(study, annotator, study_values, seat_values, reason):
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


def test_the_current_pair_keeps_the_guideline_that_it_was_shown_with(study, annotator):
    factories.pairs(study, 3)
    leased = serving.lease(annotator, study)
    study.guideline_version = 2
    study.save()
    assert serving.lease(annotator, study).current == leased.current
    assert submit(leased.current, annotator, lease_next=True).leased.reason == "guideline"
    Seat.objects.update(guideline_read=2)
    after = serving.lease(annotator, study).current
    assert (after.pk, after.guideline_version) == (leased.next.pk, 2)


# --- Earlier answers protect later people ---------------------------------------------------------------------


def test_tags_of_an_answer_are_added_to_every_pair_of_the_video(study, annotator):
    pair = factories.pair(study, wanted=2)
    same_video = factories.pair(study, prompt=pair.prompt, video_0=pair.video_1)
    submit(serving.lease(annotator, study).current, annotator, tags=["violence", "crime"])
    assert harm_propagation.note_tags() == 1
    assert harm_propagation.note_tags() == 0
    for row in (pair, same_video):
        row.refresh_from_db()
        assert (row.may_show, row.lane) == (["crime", "violence"], Pair.Lane.SENSITIVE)


def test_an_answer_without_tags_adds_nothing(study, annotator):
    factories.pair(study)
    submit(serving.lease(annotator, study).current, annotator)
    assert harm_propagation.note_tags() == 0
