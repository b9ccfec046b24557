"""Periodic tasks record when they end. People and load balancers are told if that was too long ago."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Session
from accounts.tasks import clear_sessions
from importing.models import Import
from jobs import sweeps
from jobs.models import Sweep
from tests import factories
from tests.holding import silent_broker
from tests.media.workers import Worker
from tests.web import wait_for

SWEEP = "catalog.tasks.look_after_changes"


def swept(seconds_ago, task=SWEEP):
    sweeps.stamp(task)
    Sweep.objects.filter(task=task).update(ended_at=timezone.now() - timedelta(seconds=seconds_ago))


def test_every_periodic_task_exists():
    from diptych.celery import app

    app.loader.import_default_modules()
    assert set(sweeps.every_s()) <= set(app.tasks)


def test_a_sweep_that_no_worker_took_is_forgotten_when_the_next_is_sent():
    assert all(one["options"]["expires"] == one["schedule"] for one in settings.CELERY_BEAT_SCHEDULE.values())


@pytest.mark.django_db
class TestPages:
    @pytest.fixture
    def pages(self, browser_client, study, researcher):
        """Yield the pages of a study on which something waits."""
        factories.pair(study)
        factories.video(factories.prompt(study), asset=factories.asset(state="waiting"))
        job = Import.objects.create(study=study, source="server", location="/x", asked_by=researcher)
        client = browser_client(researcher)
        addresses = [
            reverse("figures:dashboard", args=[study.slug]),
            reverse("importing:import", args=[study.slug, job.public_id]),
        ]
        return lambda: [client.get(address).content.decode() for address in addresses]

    def test_without_any_sweep_they_say_so(self, pages):
        assert all("No background worker has reported yet" in page for page in pages())

    def test_long_after_the_last_they_say_how_long(self, pages):
        swept(400)
        assert all("last reported 7 minutes ago" in page for page in pages())

    def test_soon_after_the_last_they_say_nothing(self, pages):
        swept(400)
        swept(20, "annotation.tasks.note_tags")
        assert not any("data-last-sweep" in page for page in pages())

    def test_media_progress_says_so_too(self, study, capsys):
        factories.video(factories.prompt(study), asset=factories.asset(state="waiting"))
        swept(400)
        call_command("media_progress", "--study", study.slug)
        assert "The last periodic sweep ended 7 minutes ago" in capsys.readouterr().err


def healthz_workers():
    response = Client().get("/healthz/workers")
    return response.status_code, response.json()


@pytest.mark.django_db(transaction=True)
class TestHealth:
    def test_without_any_sweep_the_workers_are_not_well(self):
        assert healthz_workers() == (
            503,
            {"ok": False, "broker": True, "last_sweep_age_s": None, "overdue": []},
        )

    def test_after_one_they_are(self):
        swept(20)
        status, facts = healthz_workers()
        assert (status, facts["ok"], facts["broker"]) == (200, True, True)
        assert 20 <= facts["last_sweep_age_s"] < 60

    def test_long_after_the_last_they_are_not(self):
        swept(100)
        status, facts = healthz_workers()
        assert (status, facts["overdue"]) == (503, [SWEEP])
        assert facts["last_sweep_age_s"] >= 100

    def test_one_task_that_always_fails_is_named(self):
        swept(5, "annotation.tasks.note_tags")
        swept(200)
        assert healthz_workers() == (
            503,
            {"ok": False, "broker": True, "last_sweep_age_s": pytest.approx(5, abs=5), "overdue": [SWEEP]},
        )

    def test_a_table_that_somebody_locks_does_not_keep_it_waiting(self):
        swept(5)
        from psycopg import connect

        with connect(connection.connection.info.dsn, password=connection.settings_dict["PASSWORD"]) as other:
            other.execute("LOCK TABLE jobs_sweep IN ACCESS EXCLUSIVE MODE")
            began = timezone.now()
            status, facts = healthz_workers()
            assert timezone.now() - began < timedelta(seconds=5)
            assert (status, facts["last_sweep_age_s"]) == (503, None)
            assert Client().get("/healthz").status_code == 200

    def test_a_broker_that_hangs_is_reported_and_the_web_is_well(self):
        swept(5)
        real = current_app.connection_for_write
        with (
            silent_broker() as silent,
            patch.object(current_app, "connection_for_write", lambda **options: real(url=silent, **options)),
        ):
            status, facts = healthz_workers()
            assert (status, facts["broker"]) == (503, False)
            assert Client().get("/healthz").json() == {"ok": True, "database": True}

    @pytest.mark.long
    def test_a_worker_with_its_beat_notes_its_sweeps(self, tmp_path):
        worker = Worker("-B", "-P", "solo", "-s", str(tmp_path / "schedule"))
        try:
            wait_for(Sweep.objects.exists, f"no sweep was noted; see {worker.log}", within_s=90)
        finally:
            worker.stop()
        status, facts = healthz_workers()
        assert (status, facts["broker"]) == (200, True)


@pytest.mark.django_db
def test_sessions_that_have_ended_are_deleted(annotator):
    client = Client()
    client.force_login(annotator)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert client.get("/").status_code == 302
    Client().force_login(annotator)
    clear_sessions()
    assert Session.objects.count() == 1
