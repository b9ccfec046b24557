"""Unusual clips from public bug reports are imported. The tests check the result and the page of each."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from catalog.models import Pair, Video
from media import notes, tasks
from media.models import Asset
from studies.models.memberships import Role
from tests import factories
from tests.importing.manifests import imported, prompt, video, write
from tests.media.making import make, pattern, tone
from tests.media.strange import H264
from tests.media.strange_tracks import with_delay

pytestmark = pytest.mark.django_db


def good(path: Path) -> Path:
    test_picture = ("-f", "lavfi", "-i", "testsrc=s=320x180:r=24:d=4")
    return make(path, *test_picture, *tone(4), *H264, "-c:a", "aac")


def sound_damaged(path: Path) -> Path:
    """Make a clip with damaged sound and an intact picture (PeerTube 7059)."""
    return make(path, "-i", good(path.with_name("whole.mp4")), "-c", "copy", "-bsf:a", "noise=amount=20")


def mono_left(path: Path) -> Path:
    """Make a clip with sound only in the left channel (immich 29269)."""
    return make(path, *pattern("160x90", "10", 1), *tone(1), "-af", "pan=FL|FL=c0", *H264, "-c:a", "pcm_s16le")


def trimmed(path: Path) -> Path:
    return make(path, "-ss", 1.3, "-i", good(path.with_name("whole.mp4")), "-c", "copy")


def late_picture(path: Path) -> Path:
    source = good(path.with_name("whole.mp4"))
    return make(path, "-itsoffset", 2, "-i", source, "-i", source, "-map", "0:v", "-map", "1:a", "-c", "copy")


def comfyui(path: Path) -> Path:
    """Make a clip as ComfyUI saves it."""
    pictures = [Image.new("RGB", (32, 32), (20 * number, 0, 255 - 20 * number)) for number in range(10)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=125, lossless=True)
    return path


def delay(hundredths: int) -> Callable[[Path], Path]:
    def gif(path: Path) -> Path:
        return with_delay(make(path, *pattern("32x32", "10", 2)), hundredths)

    return gif


#: File name, the function that makes it, its length in seconds, and its notes.
CASES = [
    ("good.mp4", good, 4.0, []),
    ("sound-damaged.mp4", sound_damaged, 4.0, [notes.SOUND_DAMAGED]),
    ("mono-left.mov", mono_left, 1.0, []),
    ("trimmed.mp4", trimmed, 2.7, []),
    ("late-picture.mp4", late_picture, 6.0, []),
    ("comfyui.webp", comfyui, 1.25, []),
    ("delay-0.gif", delay(0), 2.0, []),
    ("delay-1.gif", delay(1), 2.0, []),
    ("delay-2.gif", delay(2), 0.4, []),
]


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "maker", "seconds", "noted"),
    [CASES[0], *(pytest.param(*case, marks=pytest.mark.long) for case in CASES[1:])],
    ids=[case[0] for case in CASES],
)
def test_an_odd_clip_becomes_ready(name, maker, seconds, noted, tmp_path):
    study = factories.study(slug="colours")
    lines = [prompt("p0"), video("p0-a", path=f"clips/{name}"), video("p0-b", path="clips/other.mp4")]
    folder = write(tmp_path / "in", lines, files=False)
    (folder / "clips").mkdir()
    maker(folder / "clips" / name)
    make(folder / "clips" / "other.mp4", *pattern("32x32", "10", 0.2), *H264)

    report = imported(folder)
    for asset in Asset.objects.all():
        tasks.transcode_asset(asset.pk)

    assert report.bad == []
    asset = Asset.objects.exclude(duration_s=0.2).get()
    assert (asset.state, asset.reason, asset.facts["notes"]) == ("done", "", noted)
    assert asset.duration_s == pytest.approx(seconds, abs=0.05)
    assert Pair.objects.get().ready
    if noted:
        assert_page_says(study, Video.objects.get(asset=asset), notes.WORDS[noted[0]])


def assert_page_says(study, shown, words):
    client = Client()
    client.force_login(factories.member(study, Role.RESEARCHER))
    page = client.get(reverse("catalog:video", args=[study.slug, shown.public_id])).content.decode()
    assert str(words) in page
