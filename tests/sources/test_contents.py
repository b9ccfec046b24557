"""Placeholders of videos are refused before they are copied, and names that are too long are reported."""

import os
import resource
import sys
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from catalog.models import Video
from diptych import disk_space
from importing.models import Import
from media.models import Asset
from media.originals import original_name
from studies.models import Study
from tests import factories
from tests.importing.manifests import imported, prompt, prompts_with_videos, video, write, write_file
from tests.importing.test_import_command import run
from tests.importing.test_import_study import sha256_of
from tests.media.strange_tracks import apng, webp

pytestmark = pytest.mark.django_db

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (LFS, "is a Git LFS pointer and not the video itself. Run “git lfs pull”"),
        (b"/annex/objects/MD5E-s1--0.mp4\n", "is a git-annex pointer and not the video itself. Run “git annex get”"),
        (b"\xef\xbb\xbf<!doctype HTML><p>Sign in", "is a web page (HTML) and not a video."),
        (bytes(300), "begins with zeros only and is no video."),
    ],
)
def test_a_file_that_stands_for_a_video_is_a_bad_row(content, said, tmp_path):
    write(tmp_path, [prompt("p0"), video("p0-a"), video("p0-b")])
    write_file(tmp_path, "clips/p0-b.mp4", content)

    report = imported(tmp_path)

    [bad] = report.bad
    assert (bad.line, bad.field) == (3, "path")
    assert bad.reason.startswith(f"clips/p0-b.mp4 {said}")
    assert not Asset.objects.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what a process reads")
def test_five_gigabytes_of_zeros_are_refused_before_they_are_read_or_copied(tmp_path):
    write(tmp_path, prompts_with_videos(1, 1))
    os.truncate(tmp_path / "clips/p0-a.mp4", 5 << 30)
    os.truncate(write_file(tmp_path, "clips/p0-a.mp4", b""), 5 << 30)

    before = bytes_read()
    report = imported(tmp_path)

    assert [bad.reason.split(". ")[0] for bad in report.bad] == [
        "clips/p0-a.mp4 begins with zeros only and is no video"
    ]
    assert bytes_read() - before < 50 << 20
    assert not Asset.objects.exists()


def bytes_read() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("rchar:")).split()[1])


def test_a_name_that_is_too_long_is_named_as_such(tmp_path):
    write_file(tmp_path, "ball/prompt.txt", b"A ball")
    write_file(tmp_path, f"ball/{'x' * 200}.mp4")
    write_file(tmp_path, f"{'y' * 201}/prompt.txt", b"A cube")

    reasons = {bad.file: (bad.field, bad.reason) for bad in imported(tmp_path).bad}

    assert reasons == {
        f"ball/{'x' * 200}.mp4": (
            "",
            "The name of the file with its folder has 209 characters; at most 200 are allowed",
        ),
        "y" * 201: ("", "The name of the folder has 201 characters; at most 200 are allowed. Shorten it"),
    }


def test_animated_pictures_in_a_folder_of_prompts_are_videos_and_still_ones_are_not(tmp_path):
    write_file(tmp_path, "ball/prompt.txt", b"A ball")
    apng(tmp_path / "ball")
    webp(tmp_path / "ball")
    write_file(tmp_path, "ball/poster.png", b"\x89PNG\r\n\x1a\n" + bytes(60))

    report = imported(tmp_path, skip_bad=True)

    assert [(bad.file, bad.reason) for bad in report.bad] == [
        ("ball/poster.png", "This is a still picture and not a video")
    ]
    assert Video.objects.count() == 2


# --- No room ------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_room():
    """Limit every file that this process writes to 1 MiB, as on a disk that is nearly full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("is_new", [True, False])
def test_a_full_disk_ends_the_command_with_a_sentence_and_a_status_of_its_own(tmp_path, is_new, request):
    write(tmp_path, prompts_with_videos(1, 2))
    small = original_name(sha256_of(tmp_path / "clips/p0-a.mp4"))
    write_file(tmp_path, "clips/p0-b.mp4", os.urandom(3 << 20))
    if not is_new:
        factories.study(slug="colours")
    request.getfixturevalue("no_room")

    out, _err, error = run(tmp_path)

    assert error.returncode == disk_space.EXIT_STATUS == 3
    assert str(error) == (
        "Files cannot be read or stored: [Errno 27] File too large. Nothing was imported. "
        "Free space on that disk, and run the command again."
    )
    assert out == ""
    assert not Asset.objects.exists()
    assert Study.objects.exists() != is_new
    assert not default_storage.exists(small)  # what had been kept before takes no room
    assert [job.state for job in Import.objects.all()] == ([] if is_new else ["failed"])


def test_a_full_device_is_recognised():
    with pytest.raises(OSError, match="No space left") as full, open("/dev/full", "wb", buffering=0) as device:
        device.write(b"x")
    assert disk_space.is_full(full.value)
    assert not disk_space.is_full(FileNotFoundError(2, "No such file"))
