"""Pausing, resuming, closing and reopening: each once, each recorded, and nobody loses their open pairs."""

import pytest
from celery import current_app
from django.urls import reverse

from accounts.models import AuditEvent
from annotation import serving
from diptych.refusals import Refused
from jobs import messages
from studies.models import StateChange, Study
from studies.state_changes import change_state
from tests import factories
from tests.annotation.test_concurrency import at_once
from tests.media.workers import empty, run_queued

pytestmark = pytest.mark.django_db


def press(client, study, step, page="state"):
    return client.post(reverse(f"studies:{page}", args=[study.slug]), {"step": step}, follow=True)


@pytest.mark.long
def test_from_the_page_a_study_is_paused_resumed_closed_and_opened_again(browser_client, study):
    admin = factories.member(study, "admin")
    client = browser_client(admin)
    states = []
    for step, page in (("pause", "state"), ("resume", "state"), ("close", "close"), ("reopen", "state")):
        press(client, study, step, page)
        study.refresh_from_db()
        states.append(study.state)
    assert states == ["paused", "running", "closed", "paused"]
    events = AuditEvent.objects.filter(subject_id=str(study.pk)).order_by("pk")
    assert [(event.action, event.before["state"]) for event in events] == [
        ("study.paused", "running"), ("study.resumed", "paused"), ("study.closed", "running"),
        ("study.reopened", "closed"),
    ]  # fmt: skip
    assert {event.actor for event in events} == {admin}


@pytest.mark.long
def test_what_people_have_open_they_finish_and_nothing_follows(study, annotator, researcher):
    factories.pairs(study, 3)
    held = serving.lease(annotator, study).current
    change_state(study, "pause", actor=researcher)
    desk = serving.lease(annotator, study)
    assert desk.current_id == held.pk
    serving.release(held, annotator)
    assert serving.lease(annotator, study).reason == "paused"
    change_state(study, "resume", actor=researcher)
    assert serving.lease(annotator, study).current_id is not None


@pytest.mark.long
def test_videos_of_a_paused_study_are_prepared_after_those_of_a_running_one(
    study, researcher, django_capture_on_commit_callbacks
):
    empty("default")
    about = factories.prompt(study)
    waiting = factories.asset(state="waiting")
    factories.pair(study, prompt=about, video_0=factories.video(about, asset=waiting), ready=False)
    priorities = []
    for step in ("pause", "resume"):
        with django_capture_on_commit_callbacks(execute=True):
            change_state(study, step, actor=researcher)
        run_queued("default")
        waiting.refresh_from_db()
        priorities.append(waiting.priority)
    assert priorities[0] < 0 < priorities[1]


@pytest.mark.long
def test_twice_is_harmless(study, researcher):
    assert change_state(study, "pause", actor=researcher) is True
    assert change_state(Study.objects.get(pk=study.pk), "pause", actor=researcher) is False
    assert AuditEvent.objects.count() == 1


@pytest.mark.long
@pytest.mark.parametrize(("state", "step"), [("closed", "pause"), ("closed", "resume"), ("running", "reopen")])
def test_from_another_state_nothing_happens(study, researcher, state, step):
    Study.objects.filter(pk=study.pk).update(state=state)
    with pytest.raises(Refused, match=state):
        change_state(study, step, actor=researcher)
    assert not AuditEvent.objects.exists()


@pytest.mark.long
def test_the_page_says_that_somebody_was_sooner(browser_client, study, researcher):
    client = browser_client(researcher)
    Study.objects.filter(pk=study.pk).update(state="closed")
    assert "The study is now closed. Nothing was changed." in press(client, study, "pause").content.decode()


@pytest.mark.long
def test_closing_says_what_it_means_and_is_confirmed(browser_client, study, researcher):
    client = browser_client(researcher)
    page = client.get(reverse("studies:close", args=[study.slug])).content.decode()
    assert "can still finish and submit" in page
    assert press(client, study, "close").status_code == 200  # the page of the state does not close
    study.refresh_from_db()
    assert study.state == "running"


@pytest.mark.long
def test_only_an_admin_opens_a_closed_study(browser_client, study, researcher):
    Study.objects.filter(pk=study.pk).update(state="closed")
    client = browser_client(researcher)
    assert "Reopen the study" not in client.get(reverse("studies:state", args=[study.slug])).content.decode()
    assert press(client, study, "reopen").status_code == 403
    study.refresh_from_db()
    assert study.state == "closed"


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_recorded():
    study = factories.study()
    people = [factories.member(study, "researcher") for _ in range(3)]
    outcomes = at_once(*[lambda p=p: change_state(Study.objects.get(pk=study.pk), "pause", actor=p) for p in people])
    assert sorted(outcomes) == [False, False, True]
    assert AuditEvent.objects.filter(action="study.paused").count() == 1
    assert StateChange.objects.filter(study=study, step="paused").count() == 1


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_a_worker_puts_videos_in_order_once_the_state_is_committed():
    with current_app.connection_for_write() as broker:
        broker.default_channel.queue_purge("default")
    study = factories.study()
    researcher = factories.member(study, "researcher")
    assert [change_state(study, "pause", actor=researcher) for _ in range(2)] == [True, False]
    assert messages.queued("default") == 1
