"""The pace at which videos are prepared, and when there is no estimate."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.media_progress import pace
from media.models import Asset
from tests import factories

pytestmark = pytest.mark.django_db


def videos(study, count, **values):
    about = factories.prompt(study)
    return [factories.video(about, asset=factories.asset(**values)) for _ in range(count)]


def finished(study, *minutes_ago, **values):
    for ago in minutes_ago:
        [video] = videos(study, 1, **values)
        Asset.objects.filter(pk=video.asset_id).update(finished_at=timezone.now() - timedelta(minutes=ago))


def test_the_rest_takes_as_long_as_the_last_ten_minutes_say(study):
    finished(study, 8, 6, 5, 4, 3, 2, 2, 1, 1)  # eight within the eight minutes since the first
    videos(study, 30, state="waiting")
    going = pace(study)
    assert going.per_minute == pytest.approx(1, rel=0.02)
    assert going.left_s == pytest.approx(30 * 60, rel=0.02)
    assert going.left in {"30 minutes", "31 minutes"}


def test_failed_videos_are_finished_too_and_old_ones_say_nothing(study):
    finished(study, 4, 3, 2, state="failed", reason="Damaged.")
    finished(study, 100, 50, 20)
    videos(study, 4, state="waiting")
    assert pace(study).per_minute is None
    finished(study, 2, 1, state="failed", reason="Damaged.")
    assert pace(study).per_minute == pytest.approx(1, rel=0.02)


def test_too_few_or_too_young_say_nothing(study):
    videos(study, 3, state="waiting")
    finished(study, *[0.1] * 20)
    assert pace(study).left_s is None
    elsewhere = factories.study()
    finished(elsewhere, 5, 4, 3, 2)
    assert pace(elsewhere).left_s is None


def test_the_pace_falls_while_work_stands_still(study):
    finished(study, 9, 8.9, 8.8, 8.7, 8.6, 8.5)
    videos(study, 5, state="waiting")
    assert pace(study).per_minute < 0.6


def test_what_is_in_quarantine_is_not_waited_for(study):
    finished(study, 5, 4, 3, 2, 1)
    videos(study, 2, state="waiting")
    videos(study, 7, state="waiting", quarantined_at=timezone.now())
    assert pace(study).left == "3 minutes"


def test_hours_are_told_where_minutes_would_promise_too_much(study):
    finished(study, 9, 8, 6, 4, 1)
    videos(study, 100, state="waiting")
    assert pace(study).left == "4 hours"


def test_the_dashboard_says_how_long_it_takes_and_what_keeps_videos_waiting(study, researcher, browser_client):
    def page():
        return browser_client(researcher).get(reverse("figures:dashboard", args=[study.slug])).content.decode()

    factories.pair(study, ready=False)
    videos(study, 4, state="waiting")
    assert "Estimating time left…" in page()
    finished(study, 9, 8, 6, 4, 1)  # and the two of the pair
    assert "About 6 minutes left" in page()
    videos(study, 2, state="waiting", reason="No space left on device", pauses=1)
    assert "2 videos are waiting because of a server problem" in page()
    assert "No space left on device" in page()
    Asset.objects.filter(state="waiting").update(
        state="done", reason="", duration_s=1, fps=24, finished_at=timezone.now()
    )
    assert "minutes left" not in page()
    assert "Estimating" not in page()
