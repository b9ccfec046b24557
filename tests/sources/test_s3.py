"""Imports from a real S3 server: an object, a prefix, an archive, and a manifest with addresses."""

import gzip
import io
import json
import shutil
import tarfile

import pytest

from catalog.models import Video
from importing import job_progress, jobs, tasks
from importing.models import Import
from tests.delivering import KEY_ID, REGION, SECRET
from tests.importing.manifests import prompt, prompts_with_videos, video, write

pytestmark = pytest.mark.django_db

BUCKET = "material"


@pytest.fixture
def bucket(object_server, settings, tmp_path):
    """Return an empty bucket that imports can read, and its client. The root is empty too."""
    client = object_server.client()
    client.create_bucket(Bucket=BUCKET)
    settings.IMPORT_ROOTS = [tmp_path]
    settings.IMPORT_S3_BUCKETS = [BUCKET]
    settings.IMPORT_S3_ENDPOINT, settings.IMPORT_S3_REGION = object_server.endpoint, REGION
    settings.IMPORT_S3_ACCESS_KEY, settings.IMPORT_S3_SECRET_KEY = KEY_ID, SECRET
    yield client
    for found in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=found["Key"])
    client.delete_bucket(Bucket=BUCKET)


def put(client, folder, prefix):
    for path in folder.rglob("*"):
        if path.is_file():
            client.put_object(Bucket=BUCKET, Key=prefix + path.relative_to(folder).as_posix(), Body=path.read_bytes())


def done(study, location):
    job = jobs.ask(study, source="server", location=str(location), options={}, actor=None)
    tasks.run_import(job.pk)
    return Import.objects.get(pk=job.pk)


@pytest.mark.long
@pytest.mark.parametrize("location", ["s3://material/colours", "s3://material/colours/", "s3://material"])
def test_all_below_a_prefix(study, bucket, tmp_path, location):
    put(bucket, write(tmp_path / "in", prompts_with_videos(2, 2)), "colours/" if "colours" in location else "")
    job = done(study, location)
    assert (job.state, job.reason) == ("done", "")
    assert job.report["videos"]["added"] == 4
    assert job.log[0]["stage"] == "Downloading from S3"


@pytest.mark.long
def test_an_archive(study, bucket, tmp_path):
    write(tmp_path / "in", prompts_with_videos(1, 2))
    archive = shutil.make_archive(str(tmp_path / "a"), "gztar", tmp_path / "in")
    bucket.upload_file(archive, BUCKET, "archives/a.tar.gz")
    assert done(study, "s3://material/archives/a.tar.gz").report["videos"]["added"] == 2


@pytest.mark.long
def test_a_manifest_on_the_server_that_names_objects_and_files(study, bucket, tmp_path):
    bucket.put_object(Bucket=BUCKET, Key="clips/a b.mp4", Body=b"in the bucket")
    lines = [
        prompt("p"),
        video("p-a", path="s3://material/clips/a b.mp4"),
        video("p-b"),
        video("p-c", path="s3://material/clips/a b.mp4", generator="again"),
        video("p-d", path="s3://material/nothing.mp4"),
        video("p-e", path="missing.mp4"),
        b"nonsense",
    ]
    folder = write(tmp_path / "in", lines, files=False)
    (folder / "clips").mkdir()
    (folder / "clips/p-b.mp4").write_bytes(b"beside the manifest")
    job = done(study, folder)
    assert (job.state, job.bad_rows) == ("refused", 3)
    again = jobs.again(job, actor=None, options={"skip_bad": True})
    tasks.run_import(again.pk)
    assert Import.objects.get(pk=again.pk).report["assets"]["added"] == 2
    names = dict(Video.objects.values_list("source_id", "file_name"))
    assert names == {"p-a": "s3://material/clips/a b.mp4", "p-b": "clips/p-b.mp4", "p-c": "s3://material/clips/a b.mp4"}
    rows = {row["line"]: row["reason"] for row in bad_rows(again)}
    assert rows[5] == "s3://material/nothing.mp4 does not exist, or cannot be read"
    assert rows[6] == "missing.mp4 does not exist, or leads out of the imported folder"
    assert "not JSON" in rows[7]


@pytest.mark.long
def test_a_gzipped_array_that_names_objects_keeps_its_values(study, bucket, tmp_path):
    bucket.put_object(Bucket=BUCKET, Key="clips/a.mp4", Body=b"in the bucket")
    lines = [prompt("p"), video("p-a", path="s3://material/clips/a.mp4", seed=10**30, settings={"cfg": 7.5})]
    folder = write(tmp_path / "in", [])
    (folder / "manifest.jsonl").write_bytes(gzip.compress(json.dumps(lines, indent=1).encode()))
    assert done(study, folder).report["videos"]["added"] == 1
    assert (Video.objects.get().seed, Video.objects.get().settings["cfg"]) == (str(10**30), 7.5)
    twice = b'{"type": "video", "id": "p-b", "prompt": "p", "path": "s3://material/clips/a.mp4", "seed": 1, "seed": 2}'
    write(folder, [*lines, twice], files=False)
    [row] = bad_rows(done(study, folder))
    assert (row["line"], row["field"]) == (3, "seed")


def bad_rows(job):
    from django.core.files.storage import default_storage

    with default_storage.open(job_progress.bad_rows_file(job)) as file:
        return [json.loads(line) for line in file]


@pytest.mark.long
def test_nothing_there_is_a_reason(study, bucket):
    assert "There is nothing at s3://material/nothing" in done(study, "s3://material/nothing").reason


@pytest.mark.long
def test_a_manifest_that_names_another_bucket_is_refused(study, bucket, tmp_path):
    folder = write(tmp_path / "in", [prompt("p"), video("p-a", path="s3://other/a.mp4")], files=False)
    assert "They can read: material" in done(study, folder).reason


@pytest.mark.long
def test_keys_are_no_paths(study, bucket, tmp_path):
    bucket.put_object(Bucket=BUCKET, Key="in/C:/b.mp4", Body=b"video")
    job = done(study, "s3://material/in/")
    assert (job.state, "absolute path" in job.reason) == ("failed", True)


@pytest.mark.long
def test_a_key_that_may_not_read_is_a_reason(study, bucket, settings):
    settings.IMPORT_S3_SECRET_KEY = "wrong"
    assert "The keys of this server cannot read" in done(study, "s3://material/in/").reason


@pytest.mark.long
def test_a_server_that_is_away_is_tried_again(study, bucket, settings):
    settings.IMPORT_S3_ENDPOINT = "http://127.0.0.1:1"
    job = done(study, "s3://material/in/")
    assert (job.state, job.attempts) == ("waiting", 1)
    assert "S3 does not respond" in job.log[-1]["reason"]


@pytest.mark.long
def test_more_than_may_be_is_not_fetched(study, bucket, settings):
    for number in range(3):
        bucket.put_object(Bucket=BUCKET, Key=f"in/{number}", Body=b"x" * 100)
    settings.IMPORT_MOST_BYTES = 250
    assert "larger than 250 bytes" in done(study, "s3://material/in/").reason
    settings.IMPORT_MOST_BYTES, settings.IMPORT_MOST_FILES = 1000, 2
    assert "more than 2 files" in done(study, "s3://material/in/").reason


@pytest.mark.long
def test_an_archive_in_a_bucket_has_the_same_bounds(study, bucket):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as file:
        info = tarfile.TarInfo("../evil.mp4")
        info.size = 5
        file.addfile(info, io.BytesIO(b"video"))
    bucket.put_object(Bucket=BUCKET, Key="evil.tar", Body=archive.getvalue())
    assert "leads to a parent folder" in done(study, "s3://material/evil.tar").reason
