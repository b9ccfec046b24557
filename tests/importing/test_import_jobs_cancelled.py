"""Follow and cancel an import, and check that it leaves no unnamed files in storage."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from catalog.models import Video
from importing import job_work, jobs, tasks
from importing.job_progress import POLICY, ImportProgress
from importing.models import Import, ReadFile
from importing.progress import Progress
from jobs import engine
from media.models import Asset
from media.originals import keeping, original_name
from tests import factories
from tests.importing.import_jobs import after, asked, events, now_of, originals
from tests.web import wait_for

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("root")]


class Stopping(Progress):
    """Stops at a stage until told to go on."""

    def __init__(self, stage):
        self.stage = stage
        self.is_there, self.go_on = threading.Event(), threading.Event()

    def begin(self, stage, total):
        if stage == self.stage:
            self.is_there.set()
            assert self.go_on.wait(30)


@pytest.fixture
def at_work():
    """Do a claimed import in a thread that stops at a stage."""
    stops, pool = [], ThreadPoolExecutor(1)

    def start(job, stage):
        stop = Stopping(stage)
        stops.append(stop)

        def work():
            try:
                claimed = engine.claim(POLICY, job.pk)
                progress = ImportProgress(claimed, stop)
                try:
                    job_work.work_through(progress)
                except engine.Cancelled:
                    engine.end(POLICY, progress.job.pk, progress.job.fence, "cancelled")
                job_work.clean_up(now_of(job))
            finally:
                connection.close()

        future = pool.submit(work)
        assert stop.is_there.wait(30)
        return stop, future

    yield start
    for stop in stops:
        stop.go_on.set()
    pool.shutdown()


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_the_row_says_how_far_it_is_though_the_rows_are_not_committed(material, at_work):
    job = asked(factories.study(), material)
    stop, future = at_work(job, "Making pairs")
    assert not Video.objects.exists()
    wait_for(lambda: any(entry["stage"] == "Adding prompts and videos" for entry in now_of(job).log), "no progress")
    stop.go_on.set()
    future.result(30)
    after(job, "done")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stage", ["Reading files", "Storing files", "Adding prompts and videos", "Making pairs"])
def test_a_running_import_is_cancelled_at_its_next_step_and_leaves_nothing(material, at_work, stage):
    study = factories.study()
    person = factories.member(study, "researcher")
    job = asked(study, material)
    stop, future = at_work(job, stage)
    jobs.cancel(job, actor=person)
    jobs.cancel(job, actor=person)
    wait_for(lambda: now_of(job).cancel_asked_at, "not asked")
    stop.go_on.set()
    future.result(30)
    cancelled = after(job, "cancelled")
    assert cancelled.finished_at
    assert not Video.objects.exists()
    assert not Asset.objects.exists()
    assert not any(originals(material).values())
    [event] = events(job, "import.cancelled")
    assert event.actor == person
    assert not ReadFile.objects.exists()


@pytest.mark.long
def test_a_waiting_import_is_cancelled_at_once(study, material, researcher):
    job = asked(study, material)
    jobs.cancel(job, actor=researcher)
    jobs.cancel(job, actor=researcher)
    assert after(job, "cancelled").finished_at
    assert len(events(job, "import.cancelled")) == 1
    tasks.run_import(job.pk)
    after(job, "cancelled")


def test_an_import_that_is_done_stays_done(study, material, researcher):
    job = asked(study, material)
    tasks.run_import(job.pk)
    jobs.cancel(job, actor=researcher)
    assert after(job, "done").cancel_asked_at is None
    assert not events(job, "import.cancelled")


@pytest.mark.long
def test_a_cancelled_import_whose_worker_was_killed_ends_when_it_is_taken_up(study, material):
    job = asked(study, material)
    engine.claim(POLICY, job.pk)
    jobs.cancel(job, actor=None)
    Import.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - 2 * POLICY.abandoned_after)
    assert engine.waiting_too_long(POLICY, 9) == [job.pk]
    tasks.run_import(job.pk)
    after(job, "cancelled")


def kept_and_cancelled(study, material):
    """Return a job that stored its files and was cancelled, without cleaning up."""
    job = asked(study, material)

    class Cancelling(Progress):
        def begin(self, stage, total):
            if stage.startswith("Adding"):
                jobs.cancel(job, actor=None)

    progress = ImportProgress(engine.claim(POLICY, job.pk), Cancelling())
    with pytest.raises(engine.Cancelled):
        job_work.work_through(progress)
    engine.end(POLICY, progress.job.pk, progress.job.fence, "cancelled")
    assert all(originals(material).values())
    return now_of(job)


def test_files_that_a_row_names_by_now_stay(study, material):
    job = kept_and_cancelled(study, material)
    digest = next(iter(originals(material)))
    factories.asset(sha256=digest, original=original_name(digest))
    assert job_work.clean_up_all() == 1
    assert [one for one, is_kept in originals(material).items() if is_kept] == [digest]
    assert not ReadFile.objects.filter(import_job=job).exists()
    assert job_work.clean_up_all() == 0


@pytest.mark.django_db(transaction=True)
def test_while_another_import_keeps_files_none_is_removed(material):
    kept_and_cancelled(factories.study(), material)
    keeps, done = threading.Event(), threading.Event()

    def another():
        try:
            with keeping():
                keeps.set()
                assert done.wait(30)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(another)
        try:
            assert keeps.wait(30)
            assert job_work.clean_up_all() == 0
            assert all(originals(material).values())
        finally:
            done.set()
        future.result(30)
    assert job_work.clean_up_all() == 1
    assert not any(originals(material).values())
