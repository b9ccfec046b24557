"""Imports as jobs: each is done once, whatever happens to workers and messages."""

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings as configured
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEvent
from catalog.models import Pair, Video
from diptych.refusals import Refused
from importing import job_work, jobs, tasks
from importing.job_progress import POLICY, ImportProgress, bad_rows_file
from importing.models import Import, ReadFile
from importing.progress import Progress
from jobs import engine, messages
from jobs.engine import TakenOver
from sources import files
from tests import factories
from tests.importing.import_jobs import after, asked, events, now_of, originals, own_bytes
from tests.importing.manifests import prompt, prompts_with_videos, video, write
from tests.importing.test_import_study import sha256_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("root")]


def test_an_import_ends_done_with_rows_report_and_log(study, researcher, material):
    job = asked(study, material, researcher, batch_size=4, overlap=2)
    assert (job.state, job.location, job.options) == ("waiting", str(material), {"batch_size": 4, "overlap": 2})
    tasks.run_import(job.pk)
    done = after(job, "done")
    assert (Video.objects.count(), Pair.objects.filter(study=study, wanted=2).count()) == (6, 6)
    assert (done.report["imported"], done.report["pairs"]) == (True, {"added": 6, "already_there": 0})
    assert (done.bad_rows, done.stage, done.heartbeat_at, done.attempts) == (0, "", None, 1)
    assert done.started_at <= done.finished_at
    stages = [entry["stage"] for entry in done.log]
    assert "Reading files" in stages
    assert stages[-1] == "done"
    assert [entry["at"] for entry in done.log] == sorted(entry["at"] for entry in done.log)
    [asking] = events(job, "import.asked")
    assert (asking.actor, asking.study_slug, asking.after["location"]) == (researcher, study.slug, str(material))
    [finishing] = events(job, "import.finished")
    assert (finishing.actor, finishing.after["state"], finishing.after["videos"]["added"]) == (None, "done", 6)
    assert AuditEvent.objects.get(action="study.imported").actor == researcher
    assert not ReadFile.objects.exists()
    assert all(originals(material).values())


def test_bad_rows_keep_everything_out_and_are_there_to_fetch(study, material):
    write(material, [*prompts_with_videos(2, 3), video("p9-a", path="clips/p0-a.mp4"), b"{}"])
    own_bytes(material, material.parent.parent.name)
    job = asked(study, material)
    tasks.run_import(job.pk)
    refused = after(job, "refused")
    assert (refused.bad_rows, refused.reason, Video.objects.count()) == (2, "", 0)
    assert refused.report["imported"] is False
    with default_storage.open(bad_rows_file(job)) as file:
        rows = [json.loads(line) for line in file]
    assert {row["line"]: row["field"] for row in rows} == {9: "prompt", 10: "type"}
    assert not any(originals(material).values())

    skipping = jobs.again(refused, actor=None, options={"skip_bad": True})
    tasks.run_import(skipping.pk)
    done = after(skipping, "done")
    assert (done.bad_rows, Video.objects.count()) == (2, 6)
    assert default_storage.exists(bad_rows_file(done))


def test_nothing_to_report_on_is_a_reason(study, root):
    job = asked(study, write(root / "empty", []))
    tasks.run_import(job.pk)
    assert "has no prompts" in after(job, "failed").reason


def test_a_dry_run_says_what_would_come_in(study, material):
    job = asked(study, material, dry_run=True)
    tasks.run_import(job.pk)
    done = after(job, "done")
    assert (done.report["dry_run"], done.report["videos"]["added"], Video.objects.count()) == (True, 6, 0)
    assert not any(originals(material).values())


def test_a_message_that_comes_twice_is_harmless(study, material):
    job = asked(study, material)
    tasks.run_import(job.pk)
    finished = after(job, "done").finished_at
    tasks.run_import(job.pk)
    assert (now_of(job).finished_at, now_of(job).attempts) == (finished, 1)


@pytest.mark.django_db(transaction=True)
def test_asking_tells_a_worker_once_it_is_committed(material):
    with current_app.connection_for_write() as broker:
        broker.default_channel.queue_purge("default")
    asked(factories.study(), material)
    assert messages.queued("default") == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pairs": "some"}, "pairs must be"),
        ({"batch_size": 0}, "batch_size must be a whole number from 1"),
        ({"overlap": "3"}, "overlap must be"),
        ({"overlap": True}, "overlap must be"),
        ({"skip_bad": "yes"}, "skip_bad must be"),
        ({"nonsense": 1}, "nonsense is not an option"),
    ],
)
def test_options_that_cannot_be(study, material, options, said):
    with pytest.raises(Refused, match=said):
        asked(study, material, **options)
    assert not Import.objects.exists()


def test_only_what_lies_below_the_roots_is_read(study, root, material, tmp_path, settings):
    outside = write(tmp_path / "outside", prompts_with_videos(1, 2))
    (root / "link").symlink_to(outside)
    sentences = set()
    for place in (outside, root / "link", root / "../outside", root / "nothing", "/etc/passwd", "a\0b", "~/x"):
        with pytest.raises(Refused) as trouble:
            asked(study, place)
        sentences.add(str(trouble.value).split("”")[1])
    assert sentences == {f" does not exist, or is outside the folders that imports can read: {root}."}
    with pytest.raises(Refused, match="Enter the path"):
        asked(study, " ")
    assert asked(study, "colours").location == str(material)  # below a root, by its name there
    settings.IMPORT_ROOTS = []
    with pytest.raises(Refused, match="set IMPORT_ROOTS"):
        asked(study, material)


def test_a_folder_that_leads_elsewhere_by_the_time_it_is_read_is_not_read(study, material, tmp_path):
    job = asked(study, material)
    outside = tmp_path / "outside"
    shutil.move(material, outside)
    material.symlink_to(outside)
    tasks.run_import(job.pk)
    assert "outside the folders" in after(job, "failed").reason
    assert not Video.objects.exists()


def test_s3_is_refused_where_it_is_not_set_up(study, settings):
    with pytest.raises(Refused, match="set IMPORT_S3_BUCKETS"):
        asked(study, "s3://bucket/prefix")
    settings.IMPORT_S3_BUCKETS = ["ours"]
    with pytest.raises(Refused, match="They can read: ours"):
        asked(study, "s3://bucket/prefix")


@pytest.mark.long
def test_a_manifest_that_names_s3_where_it_is_not_set_up_is_a_reason(study, root):
    write(root / "m", [prompt("p"), video("p-a", path="s3://bucket/a.mp4")], files=False)
    job = asked(study, root / "m")
    tasks.run_import(job.pk)
    assert "set IMPORT_S3_BUCKETS" in after(job, "failed").reason


@pytest.mark.parametrize(("name", "kind"), [("a.tar.gz", "gztar"), ("a.zip", "zip"), ("a.tar", "tar")])
def test_an_archive_is_read_like_its_folder(study, root, material, name, kind):
    shutil.make_archive(str(root / "a"), kind, root, "colours")
    job = asked(study, root / name)
    tasks.run_import(job.pk)
    done = after(job, "done")
    assert done.report["videos"]["added"] == 6
    assert done.log[0]["stage"] == "Unpacking"
    assert all(originals(material).values())


def test_a_bad_archive_is_a_reason(study, root):
    (root / "a.zip").write_bytes(b"no zip")
    job = asked(study, root / "a.zip")
    tasks.run_import(job.pk)
    assert "The archive is damaged" in after(job, "failed").reason


def test_one_file_of_a_layout_is_not_taken_for_a_manifest(study, root):
    (root / "config-train.json.gz").write_bytes(b"")
    job = asked(study, root / "config-train.json.gz")
    tasks.run_import(job.pk)
    assert "Give the folder" in after(job, "failed").reason


def after_the_pause(job):
    Import.objects.filter(pk=job.pk).update(wait_until=timezone.now() - timedelta(seconds=1))


@pytest.mark.long
def test_trouble_that_may_pass_is_tried_again_after_longer_and_longer_pauses(study, material):
    folder = Path(configured.MEDIA_ROOT) / "originals"
    away = folder.with_name("originals-away")
    folder.mkdir(parents=True, exist_ok=True)
    folder.rename(away)
    folder.write_text("a file where the folder should be")
    try:
        job = asked(study, material)
        pauses = []
        for attempt in range(1, POLICY.most_attempts):
            tasks.run_import(job.pk)
            waits = after(job, "waiting")
            assert (waits.attempts, waits.log[-1]["stage"]) == (attempt, "Waiting for another attempt")
            pauses.append((waits.wait_until - timezone.now()).total_seconds())
            assert engine.claim(POLICY, job.pk) is None
            after_the_pause(job)
        assert [round(pause / 60) for pause in pauses] == [1, 2, 4, 8]
        tasks.run_import(job.pk)
        assert "The job was tried 5 times" in after(job, "failed").reason
    finally:
        folder.unlink()
        away.rename(folder)
    again = jobs.again(now_of(job), actor=None)
    tasks.run_import(again.pk)
    after(again, "done")


def test_a_claimed_import_is_nobody_elses_until_its_heart_stops(study, material):
    job = asked(study, material)
    first = engine.claim(POLICY, job.pk)
    assert engine.claim(POLICY, job.pk) is None
    Import.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - 2 * POLICY.abandoned_after)
    assert engine.waiting_too_long(POLICY, 9) == [job.pk]
    second = engine.claim(POLICY, job.pk)
    assert second.fence == first.fence + 1
    job_work.process(first)  # wakes up after long
    assert (after(job, "running").fence, Video.objects.count()) == (second.fence, 0)
    job_work.process(second)
    after(job, "done")
    assert len(events(job, "import.finished")) == 1


def test_a_worker_that_sleeps_through_its_last_step_writes_nothing(study, material):
    slow = engine.claim(POLICY, asked(study, material).pk)

    class Overtaken(Progress):
        def begin(self, stage, total):
            if stage.startswith("Adding"):
                Import.objects.filter(pk=slow.pk).update(fence=slow.fence + 1)

    with pytest.raises(TakenOver):
        job_work.work_through(ImportProgress(slow, Overtaken()))
    assert not Video.objects.exists()


def test_a_lost_message_is_sent_again(study, material):
    job = asked(study, material)
    assert engine.waiting_too_long(POLICY, 9) == []
    Import.objects.filter(pk=job.pk).update(created_at=timezone.now() - 2 * POLICY.resend_after)
    assert engine.waiting_too_long(POLICY, 9) == [job.pk]
    assert tasks.look_after_imports() == 1


def test_an_import_that_keeps_ending_its_worker_fails(study, material):
    job = asked(study, material)
    for _ in range(POLICY.most_attempts):
        assert engine.claim(POLICY, job.pk)
        Import.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))
    assert engine.claim(POLICY, job.pk) is None
    assert engine.waiting_too_long(POLICY, 9) == []
    engine.give_up_abandoned(POLICY)
    assert "started 5 times" in after(job, "failed").reason


def test_a_fault_of_the_program_is_said_without_its_words(study, material, monkeypatch):
    def faulty(*_):
        raise KeyError("/secret/path")

    monkeypatch.setattr(files, "keep_file", faulty)
    job = asked(study, material)
    tasks.run_import(job.pk)
    reason = after(job, "failed").reason
    assert "KeyError" in reason
    assert "secret" not in reason


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_one_message_each_do_it_once(material):
    study = factories.study()
    job = asked(study, material)
    both = threading.Barrier(2)

    def work(_):
        try:
            both.wait(timeout=30)
            tasks.run_import(job.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert after(job, "done").attempts == 1
    assert (Video.objects.count(), len(events(job, "import.finished"))) == (6, 1)


@pytest.mark.long
def test_what_was_read_before_a_kill_is_not_read_again(study, material, monkeypatch):
    job = asked(study, material)
    read: list[Path] = []

    def reading(path):
        read.append(path)
        return fingerprint(path)

    fingerprint = files.fingerprint
    monkeypatch.setattr(files, "fingerprint", reading)
    progress = ImportProgress(engine.claim(POLICY, job.pk))
    clips = sorted(material.glob("clips/*"))
    for clip in clips[:4]:
        state = clip.stat()
        progress.remember(files.FileRead(f"clips/{clip.name}", state.st_size, state.st_mtime_ns, sha256_of(clip)))
    progress.end()  # and killed
    assert ReadFile.objects.count() == 4
    clips[0].write_bytes(b"other bytes by now")
    Import.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - 2 * POLICY.abandoned_after)
    tasks.run_import(job.pk)
    assert after(job, "done").report["videos"]["added"] == 6
    assert sorted(read) == sorted([clips[0], *clips[4:]])
