"""Workers killed at random, messages doubled and lost: every video still ends ready, once."""

import time
from random import Random

import ffmpeg
import pytest
from django.core.files.storage import default_storage
from django.db.models import Count

from catalog.media import names
from catalog.models import Asset
from catalog.tasks import announce
from diptych.embedded import binaries
from tests.catalog.workers import Worker, pending

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

CLIPS = 40
KILLS = 8
LIMIT_S = 300


@pytest.fixture
def clips(tmp_path):
    """Forty clips of different lengths, one second and more."""
    made = []
    for number in range(CLIPS):
        path = tmp_path / f"{number}.avi"
        source = ffmpeg.input("testsrc2=size=640x360:rate=24:duration=4", f="lavfi")
        source.output(str(path), vcodec="mpeg4", vframes=24 + number).run(cmd=binaries.ffmpeg(), quiet=True)
        made.append(path)
    return made


def unfinished() -> int:
    return Asset.objects.exclude(state__in=["ready", "failed"]).count()


def test_every_video_ends_ready_though_workers_are_killed_at_random(clips, tmp_path):
    assets = [pending(path) for path in clips]
    announce([asset.pk for asset in assets] * 2)  # every message twice
    dice, deadline, killed = Random(1), time.monotonic() + LIMIT_S, 0
    arguments = ("-B", "--concurrency", "2", "-s", str(tmp_path / "schedule"))
    worker = Worker(*arguments)
    try:
        while unfinished():
            assert time.monotonic() < deadline, f"{unfinished()} videos are not finished"
            time.sleep(dice.uniform(2, 6) if killed < KILLS else 1)
            if killed < KILLS:
                worker.kill()
                killed += 1
                worker = Worker(*arguments)
    finally:
        worker.stop()
    assert dict(Asset.objects.values_list("state").annotate(Count("pk"))) == {"ready": CLIPS}
    for asset in Asset.objects.all():
        assert default_storage.exists(names.playback(asset.public_id))
        assert default_storage.exists(names.frame(asset.public_id, 7))
