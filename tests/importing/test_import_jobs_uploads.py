"""Imports of uploaded files, and imports asked for again."""

import shutil
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.utils import timezone

from diptych.refusals import Refused
from importing import job_work, jobs, tasks, uploads
from importing.models import Import, Upload
from tests.importing.import_jobs import after, asked, now_of, own_bytes, uploaded
from tests.importing.manifests import prompts_with_videos, write

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("root")]


def collecting(study, **options) -> Import:
    return jobs.ask(study, source="upload", options=options, actor=None)


def upload_folder(job, folder, under="colours"):
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            uploaded(job, f"{under}/{path.relative_to(folder).as_posix()}", path.read_bytes())


def pieces(job) -> list[str]:
    folder = Path(configured.MEDIA_ROOT) / "imports" / job.public_id / "files"
    return [str(path) for path in folder.rglob("*") if path.is_file()]


def test_uploads_are_imported_once_all_are_whole(study, researcher, tmp_path):
    folder = own_bytes(write(tmp_path / "mine", prompts_with_videos(1, 2)), str(tmp_path))
    job = collecting(study)
    assert job.state == "collecting"
    with pytest.raises(Refused, match="Nothing was uploaded"):
        jobs.begin(job, actor=researcher)
    upload_folder(job, folder)
    half, _ = uploads.create(job, "colours/clips/late.mp4", 10)
    with pytest.raises(Refused, match=r"late\.mp4 is not whole yet: 0 of 10 bytes"):
        jobs.begin(job, actor=researcher)
    uploads.remove(half)
    jobs.begin(job, actor=researcher)
    jobs.begin(job, actor=researcher)
    assert after(job, "waiting")
    assert pieces(job)
    tasks.run_import(job.pk)
    done = after(job, "done")
    assert done.report["videos"]["added"] == 2
    assert pieces(job) == []
    assert set(Upload.objects.values_list("received", flat=True)) == {0}
    with pytest.raises(Refused):
        uploads.create(job, "more.mp4", 10)


def test_an_uploaded_archive_is_unpacked(study, root, material):
    archive = shutil.make_archive(str(root / "a"), "zip", material)
    job = collecting(study)
    uploaded(job, "colours.zip", Path(archive).read_bytes())
    jobs.begin(job, actor=None)
    tasks.run_import(job.pk)
    assert after(job, "done").report["videos"]["added"] == 6


def test_an_uploaded_manifest_may_be_called_as_it_likes(study, tmp_path):
    folder = own_bytes(write(tmp_path / "mine", prompts_with_videos(1, 2)), str(tmp_path))
    (folder / "manifest.jsonl").rename(folder / "first batch.jsonl")
    job = collecting(study)
    upload_folder(job, folder)
    jobs.begin(job, actor=None)
    tasks.run_import(job.pk)
    assert after(job, "done").report["videos"]["added"] == 2


def test_a_refused_upload_is_asked_for_again_without_uploading_again(study, tmp_path):
    folder = write(tmp_path / "mine", [*prompts_with_videos(1, 2), b"{}"])
    job = collecting(study)
    upload_folder(job, own_bytes(folder, str(tmp_path)))
    jobs.begin(job, actor=None)
    tasks.run_import(job.pk)
    refused = after(job, "refused")
    assert pieces(job)
    same = jobs.again(refused, actor=None, options={"skip_bad": True})
    assert (same.pk, same.state, same.report, same.bad_rows) == (job.pk, "waiting", None, 0)
    tasks.run_import(job.pk)
    assert after(job, "done").report["videos"]["added"] == 2
    assert pieces(job) == []
    assert jobs.again(now_of(job), actor=None).state == "collecting"  # its files are gone


def test_uploads_nobody_goes_on_with_are_cancelled_and_removed(study):
    job = collecting(study)
    uploaded(job, "a.mp4", b"video")
    long_ago = timezone.now() - 2 * job_work.UPLOADS_KEPT_FOR
    Import.objects.filter(pk=job.pk).update(created_at=long_ago)
    assert job_work.cancel_forgotten() == 0
    Upload.objects.update(created_at=long_ago)
    assert job_work.cancel_forgotten() == 1
    cancelled = after(job, "cancelled")
    assert (job_work.tidy_all(), len(pieces(job))) == (0, 1)
    Import.objects.filter(pk=cancelled.pk).update(finished_at=long_ago)
    assert (job_work.tidy_all(), pieces(job)) == (1, [])
    assert job_work.tidy_all() == 0


def test_asked_for_again_what_lies_on_the_server_is_a_new_import(study, material, researcher):
    job = asked(study, material, overlap=2)
    with pytest.raises(Refused, match="has not ended"):
        jobs.again(job, actor=researcher)
    tasks.run_import(job.pk)
    new = jobs.again(now_of(job), actor=researcher)
    assert (new.pk != job.pk, new.options, new.location, new.asked_by) == (
        True,
        {"overlap": 2},
        str(material),
        researcher,
    )
    tasks.run_import(new.pk)
    assert after(new, "done").report["videos"] == {"added": 0, "already_there": 6}
