"""Downloads that break, are killed, or run out of space: they continue, and no incomplete folder looks complete."""

import json
import random
import signal
import time

import pytest

from diptych_client.client import Client
from diptych_client.commands.exit_codes import Exit
from diptych_client.errors import ClientError
from diptych_client.release_folder import FolderError
from diptych_client.release_folder import Release as Folder
from tests.client.conftest import released
from tests.client.running import line
from tests.delivering import BUCKET
from tests.small_disk import small_disk
from tests.web import free_port, serve, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

#: So large that a file comes in many pieces, and a download takes as long as a test needs.
VIDEO_BYTES = 400_000


@pytest.fixture
def large(study):
    """Return a release whose archive of videos has 1.6 MB."""
    return released(study, size=VIDEO_BYTES)


def assert_nothing_looks_complete(folder, target):
    """Fail if the folder is there, or if what is there of it can be opened as a release."""
    assert not target.exists()
    for path in folder.glob(".*.part"):
        with pytest.raises(FolderError):
            Folder.open(path)


@pytest.mark.long
def test_a_line_that_breaks_again_and_again_costs_only_time(diptych, server, token, large, study, tmp_path):
    with line(server, breaks_after=300_000) as breaking:
        diptych.sign_in(breaking.address, token)
        said = json.loads(diptych.done("pull", study.slug, "mine", "--json"))
    assert Folder.open(tmp_path / "mine").check() == []
    assert said["downloaded_bytes"] == said["bytes"]  # no byte twice
    assert breaking.connections > 5


@pytest.mark.long
def test_a_killed_download_goes_on_in_the_middle_of_a_file(diptych, server, token, large, study, tmp_path):
    with line(server, bytes_per_s=400_000) as slow:
        diptych.sign_in(slow.address, token)
        part = tmp_path / ".mine.part" / "video_archives" / "videos-train-00000.tar.part"
        running = diptych.begin("pull", study.slug, "mine")
        wait_for(lambda: part.exists() and part.stat().st_size > VIDEO_BYTES, "the download did not begin")
        assert diptych.refused("pull", study.slug, "mine")[0] == Exit.MACHINE  # the other one still runs
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert_nothing_looks_complete(tmp_path, tmp_path / "mine")
        had = sum(path.stat().st_size for path in (tmp_path / ".mine.part").rglob("*") if path.is_file())
        said = json.loads(diptych.done("pull", study.slug, "mine", "--json"))
    assert said["downloaded_bytes"] == said["bytes"] - had
    assert Folder.open(tmp_path / "mine").check() == []


@pytest.mark.long
def test_a_part_with_wrong_bytes_is_downloaded_again(signed_in, large, study, tmp_path):
    part = tmp_path / ".mine.part" / "video_archives" / "videos-train-00000.tar.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 100_000)
    (tmp_path / ".mine.part" / "left-over.txt").write_text("of another release")
    (tmp_path / ".mine.part" / "pairs.jsonl").write_text("{}")
    signed_in.done("pull", study.slug, "mine")
    assert Folder.open(tmp_path / "mine").check() == []
    assert not (tmp_path / "mine" / "left-over.txt").exists()


@pytest.mark.long
def test_a_disk_that_is_too_small_is_noticed_before_the_download(signed_in, large, study, tmp_path):
    with small_disk(tmp_path / "disk", "1m") as disk:
        status, sentence = signed_in.refused("pull", study.slug, "disk/mine")
        assert (status, "bytes free" in sentence) == (Exit.MACHINE, True)
        assert_nothing_looks_complete(disk, disk / "mine")


@pytest.mark.long
def test_a_disk_that_fills_up_stops_the_download_which_then_goes_on(signed_in, server, token, large, study, tmp_path):
    with small_disk(tmp_path / "disk", "4m") as disk, line(server, bytes_per_s=1_000_000) as slow:
        signed_in.sign_in(slow.address, token)
        running = signed_in.begin("pull", study.slug, "disk/mine")
        wait_for(lambda: any(disk.glob(".mine.part/*")), "the download did not begin")
        filler = disk / "filler"
        with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        assert running.wait(60) == Exit.MACHINE
        assert_nothing_looks_complete(disk, disk / "mine")
        filler.unlink()
        signed_in.done("pull", study.slug, "disk/mine")
        assert Folder.open(disk / "mine").check() == []


@pytest.mark.long
def test_a_server_cannot_write_outside_of_the_folder(server, token, release, study, tmp_path, monkeypatch):
    """The real server's response, with one path changed on the way."""
    with Client(server, token) as client:
        found = client.find_release(study.slug)
        for path in ("../outside", "/etc/outside", "a/../../outside", "a\\outside", "C:outside", ""):
            changed = found | {"files": [*found["files"][1:], found["files"][0] | {"path": path}]}
            monkeypatch.setattr(client, "release", lambda _id, changed=changed: changed)
            with pytest.raises(ClientError, match="outside of the release folder"):
                client.pull(study.slug, 1, tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_bucket_sends_the_files_and_never_sees_the_token(diptych, token, study, bucket, tmp_path):
    released(study, size=VIDEO_BYTES)
    with line(bucket.endpoint, breaks_after=300_000) as breaking:
        public = {"MEDIA_S3_PUBLIC_ADDRESS": f"{breaking.address}/{BUCKET}"}
        port = free_port()
        running = serve(port, **bucket.environment() | public)
        try:
            diptych.sign_in(f"http://127.0.0.1:{port}", token)
            said = json.loads(diptych.done("pull", study.slug, "mine", "--json"))
        finally:
            running.stop()
    assert Folder.open(tmp_path / "mine").check() == []
    assert said["downloaded_bytes"] == said["bytes"]
    assert breaking.requests.count(b"GET /") > 5
    assert b"Range: bytes=" in breaking.requests
    assert token.encode() not in breaking.requests


@pytest.mark.long
def test_downloads_killed_at_random_end_with_every_byte(diptych, server, token, large, study, tmp_path):
    """Twenty downloads, each killed at random moments and continued, on lines that also break, until it is complete."""
    draw = random.Random(15)
    kills = 0
    for number in range(20):
        target, kills_of_this = tmp_path / f"mine-{number}", 0
        with line(server, bytes_per_s=3_000_000, breaks_after=draw.randrange(200_000, 1_500_000)) as breaking:
            diptych.sign_in(breaking.address, token)
            while True:
                running = diptych.begin("pull", study.slug, target.name)
                # Later and later, so that a slow machine comes to its end too.
                time.sleep(draw.uniform(0.1, 1.2 + 0.3 * kills_of_this))
                if running.poll() is not None:
                    break
                running.send_signal(signal.SIGKILL)
                running.wait()
                kills, kills_of_this = kills + 1, kills_of_this + 1
                if not target.exists():  # else it was killed after its last step
                    assert_nothing_looks_complete(tmp_path, target)
        assert running.returncode == 0
        assert Folder.open(target).check() == []
    assert kills > 20
