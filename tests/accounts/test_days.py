"""A person's days in their time zone. Changing the zone never makes a day shorter."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts import days
from accounts.models import AuditEvent
from diptych.refusals import Refused
from tests import factories

pytestmark = pytest.mark.django_db

PASSWORD = "a password of its own"
HOUR = timedelta(hours=1)
#: Zones far apart, some with midnights that daylight saving time skips or repeats, and some off by half an hour.
ZONES = [
    *("UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Pacific/Auckland", "America/Los_Angeles", "Asia/Calcutta"),
    *("Africa/Cairo", "America/Havana", "Australia/Lord_Howe", "Asia/Shanghai", "Europe/Berlin"),
]
STARTS = [datetime(2026, month, day, tzinfo=UTC) for month, day in [(3, 7), (3, 27), (4, 4), (4, 23), (10, 24), (6, 1)]]
MOVES = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(ZONES)), max_size=6)


@pytest.fixture
def counts(monkeypatch):
    """Count something on each day of everybody."""
    monkeypatch.setattr(days, "counted_on", [lambda _person, _day: True])


def starts_in(zone, now):
    person = factories.person(time_zone=zone)
    return person, days.end_of_day(person, now)


@pytest.mark.long
def test_no_change_of_the_zone_ever_shortens_a_day(counts):
    """Walk through ten days, hour by hour, in which the person changes the zone at any time, also there and back."""
    person = factories.person()

    @settings(max_examples=60, deadline=None, database=None)
    @given(zone=st.sampled_from(ZONES), start=st.sampled_from(STARTS), moves=MOVES)
    def ten_days(zone, start, moves):
        person.time_zone, person.kept_day, person.kept_from, person.kept_until = zone, None, None, None
        now = days.end_of_day(person, start)
        began, day, least = now, days.day_of(person, now), days.end_of_day(person, now)
        changes = {}
        for hours, wanted in moves:
            changes.setdefault(max(changes, default=0) + hours, []).append(wanted)
        for hour in range(240):
            for wanted in changes.get(hour, []):
                try:
                    days.change_zone(person, wanted, now)
                except Refused:
                    assert now >= least
                assert days.day_of(person, now) == day
                assert days.end_of_day(person, now) >= least
            end = days.end_of_day(person, now)
            assert now < end
            assert days.day_of(person, end - timedelta(seconds=1)) == day
            if end <= now + HOUR:
                assert timedelta(hours=23) <= end - began <= timedelta(hours=24 + 26 + 1)
                assert end <= days.midnight(day + 2 * days.NIGHT, UTC) + timedelta(hours=13)
                following = days.day_of(person, end)
                assert following > day
                began, day, least = end, following, days.end_of_day(person, end)
            now += HOUR

    ten_days()


def test_the_zone_of_a_mistake_can_be_put_right_without_a_loss(counts):
    now = datetime(2026, 5, 1, 20, tzinfo=UTC)
    person, end = starts_in("Europe/Berlin", now)
    days.change_zone(person, "Pacific/Kiritimati", now)
    assert days.end_of_day(person, now) > end
    days.change_zone(person, "Europe/Berlin", now + HOUR)
    assert days.end_of_day(person, now + HOUR) == end


def test_a_day_does_not_go_on_for_ever_however_often_the_zone_is_changed(counts, browser_client):
    now = timezone.now()
    person = factories.person(time_zone="Pacific/Kiritimati")
    person.kept_day = days.day_of(person, now) - days.NIGHT  # it would have ended just now
    person.kept_from, person.kept_until = now - 20 * HOUR, now - timedelta(seconds=1)
    person.save()
    chosen = {"media_filter": "", "name_categories": "no", "locale": "", "time_zone": "Asia/Shanghai"}
    refused = browser_client(person).post("/accounts/viewing/", chosen)
    assert refused.status_code == 400
    assert "You can change it again after" in refused.content.decode()
    person.refresh_from_db()
    assert person.time_zone != "Asia/Shanghai"


def test_what_was_before_the_change_stays_on_its_day(counts):
    now = datetime(2026, 5, 1, 20, tzinfo=UTC)
    person, _end = starts_in("UTC", now)
    days.change_zone(person, "Asia/Shanghai", now)  # there it is the second of May
    assert days.day_of(person, now) == date(2026, 5, 1)
    assert days.day_of(person, now - timedelta(days=3)) == date(2026, 4, 29)
    assert days.day_of(person, now + timedelta(days=3)) == date(2026, 5, 5)


@pytest.mark.long
def test_where_nothing_counts_a_new_zone_is_in_force_at_once(monkeypatch):
    monkeypatch.setattr(days, "counted_on", [lambda _person, _day: False])
    now = datetime(2026, 5, 1, 20, tzinfo=UTC)
    person, _end = starts_in("UTC", now)
    days.change_zone(person, "Asia/Shanghai", now)
    assert days.day_of(person, now) == date(2026, 5, 2)
    assert days.end_of_day(person, now) == datetime(2026, 5, 2, 16, tzinfo=UTC)


@pytest.mark.parametrize("way", ["sign_in", "sign_in_in_place"])
def test_the_browsers_zone_is_stored_at_the_first_sign_in_and_never_again(way):
    person = factories.person()

    def sign_in(zone):
        Client().post(
            reverse(f"accounts:{way}"), {"username": person.username, "password": PASSWORD, "time_zone": zone}
        )
        person.refresh_from_db()
        return person.time_zone

    assert sign_in("Mars/Base") == ""
    assert sign_in("../etc/passwd") == ""
    assert sign_in("Asia/Calcutta") == "Asia/Calcutta"  # as Chromium names it
    assert sign_in("Europe/Berlin") == "Asia/Calcutta"
    [row] = AuditEvent.objects.filter(action="user.time_zone_stored")
    assert row.after == {"time_zone": "Asia/Calcutta"}


def test_a_stored_zone_that_is_not_offered_is_kept_by_the_settings_page(browser_client):
    person = factories.person(time_zone="Etc/GMT-3")
    page = browser_client(person).get("/accounts/viewing/").content.decode()
    assert '<option value="Etc/GMT-3" selected>' in page
    assert "not chosen yet" not in page
    chosen = {"media_filter": "", "name_categories": "no", "locale": "", "time_zone": ""}
    assert browser_client(person).post("/accounts/viewing/", chosen).status_code == 400
    assert browser_client(person).post("/accounts/viewing/", chosen | {"time_zone": "Etc/GMT-3"}).status_code == 302


def test_responses_name_the_persons_day_and_when_it_ends(study, annotator, api):
    annotator.time_zone = "Asia/Shanghai"
    annotator.save()
    response = api(annotator).get(reverse("api:studies"))
    day, end = response["X-Diptych-Day"].split(" ")
    assert (
        datetime.fromisoformat(end).astimezone(days.zone_of(annotator)).date() == date.fromisoformat(day) + days.NIGHT
    )
    assert json.loads(response.content) is not None
