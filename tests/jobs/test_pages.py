"""The page of a study's background jobs: those that run, with progress, those that ended, and their buttons."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from catalog.models import PairsChange
from importing.models import Import
from tests import factories

pytestmark = pytest.mark.django_db

RUNNING = {"state": "running", "fence": 1}


def address(name, study, *more):
    return reverse(name, args=[study.slug, *more])


@pytest.fixture
def text(browser_client, researcher, study):
    """Return the words of the page of the study's jobs."""
    client = browser_client(researcher)
    return lambda query="": " ".join(client.get(address("studies:jobs", study) + query).content.decode().split())


def change(study, by, **values):
    facts = {"what": "priority", "value": 4, "until": 1, "steps_total": 3000}
    return PairsChange.objects.create(**{"study": study, "asked_by": by} | facts | values)


def imported(study, **values):
    return Import.objects.create(**{"study": study, "source": "server", "location": "/clips"} | values)


def test_a_study_in_which_nothing_ran_says_so(text):
    assert "No job has run in this study yet" in text()


def test_what_waits_and_runs_stands_there_with_its_progress(text, study, researcher):
    job = imported(study, stage="Reading files", steps=12, steps_total=40, heartbeat_at=timezone.now(), **RUNNING)
    moved = change(study, researcher, pauses=1, reason="The disk is full.", wait_until=timezone.now())
    said = text()
    assert "Reading files" in said
    assert "12 of 40" in said
    assert "Priority: 4" in said
    assert "Waiting for another attempt" in said
    assert "The disk is full." in said
    assert f'data-watch="{reverse("importing:progress", args=[study.slug, job.public_id])}"' in said
    assert f'action="{reverse("importing:cancel", args=[study.slug, job.public_id])}"' in said
    assert f'action="{address("catalog:cancel_change", study, moved.pk)}"' in said


def test_a_job_that_is_being_cancelled_is_not_cancelled_again(text, study):
    imported(study, cancel_asked_at=timezone.now(), heartbeat_at=timezone.now(), **RUNNING)
    said = text()
    assert "Being cancelled" in said
    assert "Cancel the import" not in said


def test_what_ended_stands_below_with_its_outcome_and_what_can_be_done(text, study, researcher):
    ended = {"state": "failed", "finished_at": timezone.now()}
    imported(study, reason="There is no such folder.", **ended)
    older = change(study, researcher, reason="A fault.", **ended)
    last = change(study, researcher, reason="Another fault.", **ended)
    said = text()
    assert "There is no such folder." in said
    assert "Another fault. 0 pairs were changed." in said
    assert address("catalog:resume_change", study, last.pk) in said
    assert address("catalog:resume_change", study, older.pk) not in said
    assert "data-watch" not in said


def test_earlier_jobs_are_on_further_pages(text, study, researcher, monkeypatch):
    monkeypatch.setattr("studies.views_jobs.A_PAGE", 2)
    now = timezone.now()
    for hours in range(4):
        made = now - timedelta(hours=hours)
        if hours % 2:
            imported(study, location=f"/folder-{hours}", state="cancelled", finished_at=now, created_at=made)
        else:
            change(study, researcher, value=hours + 10, state="cancelled", finished_at=now, created_at=made)
    first = text()
    assert [sign in first for sign in ("Priority: 10", "/folder-1", "Priority: 12", "/folder-3")] == [
        True,
        True,
        False,
        False,
    ]
    [query] = [part.split('"')[0] for part in first.split('href="') if part.startswith("?before=")]
    second = text(query.replace("&amp;", "&"))
    assert [sign in second for sign in ("Priority: 10", "/folder-1", "Priority: 12", "/folder-3")] == [
        False,
        False,
        True,
        True,
    ]
    assert "Priority: 10" in text("?before=yesterday")


def test_videos_that_are_prepared_are_one_job(text, study, browser_client, researcher):
    pair = factories.pair(study, ready=False)
    asset = pair.video_0.asset
    type(asset).objects.filter(pk=asset.pk).update(**WAITING)
    said = text()
    assert "Preparing videos" in said
    assert "1 of 2 videos are ready" in said
    live = browser_client(researcher).get(address("catalog:media", study)).json()
    assert (live["version"], live["steps"], live["total"]) == ("running", 1, 2)


@pytest.mark.long
def test_failed_videos_are_prepared_again_from_the_page(text, study, browser_client, researcher):
    pair = factories.pair(study, ready=False)
    asset = pair.video_0.asset
    type(asset).objects.filter(pk=asset.pk).update(state="failed", reason="It ends in the middle.", attempts=5)
    assert "1 video could not be prepared." in text()
    answer = browser_client(researcher).post(address("catalog:retry_media", study), follow=True)
    assert "1 video will be prepared again." in answer.content.decode()
    asset.refresh_from_db()
    assert (asset.state, asset.attempts) == (WAITING["state"], 0)
    assert AuditEvent.objects.get(action="media.retried").actor == researcher
    assert "1 of 2 videos are ready" in text()


def test_the_settings_lead_there(browser_client, researcher, study):
    page = browser_client(researcher).get(address("studies:state", study)).content.decode()
    assert address("studies:jobs", study) in page


#: A video that has not been prepared yet.
WAITING = {"state": "waiting", "finished_at": None, "duration_s": None, "fps": None}
