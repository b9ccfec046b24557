"""Workers killed at random, messages doubled and lost: every video still ends ready, once."""

import os
import signal
import sys
import time
from pathlib import Path
from random import Random

import ffmpeg
import psutil
import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import Count

from catalog.media import names
from catalog.models import Asset
from catalog.tasks import announce
from diptych.embedded import binaries
from diptych.embedded.process import Guarded
from tests.catalog.test_transcoding import pending

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


class Worker:
    """A Celery worker with its clock, on the test database."""

    def __init__(self, folder: Path) -> None:
        database = connection.settings_dict
        address = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
        command = [sys.executable, "-m", "celery", "-A", "diptych", "worker", "-B", "-Q", "default,media"]
        command += ["--concurrency", "2", "-s", str(folder / "schedule")]
        self.process = Guarded(
            "The worker",
            command,
            log=Path(settings.HOME.path) / "logs" / "worker.log",
            grace=1,
            environment=os.environ | {"DATABASE_URL": address},
        )

    def kill(self) -> None:
        """kill -9 of the worker and all it started, in the middle of whatever they do."""
        worker = psutil.Process(self.process.pid)
        for member in [worker, *worker.children(recursive=True)]:
            member.send_signal(signal.SIGKILL)
        self.process.stop()


def unfinished() -> int:
    return Asset.objects.exclude(state__in=["ready", "failed"]).count()


def test_every_video_ends_ready_though_workers_are_killed_at_random(clips, tmp_path):
    assets = [pending(path) for path in clips]
    announce([asset.pk for asset in assets] * 2)  # every message twice
    dice, deadline, killed = Random(1), time.monotonic() + LIMIT_S, 0
    worker = Worker(tmp_path)
    try:
        while unfinished():
            assert time.monotonic() < deadline, f"{unfinished()} videos are not finished"
            time.sleep(dice.uniform(2, 6) if killed < KILLS else 1)
            if killed < KILLS:
                worker.kill()
                killed += 1
                worker = Worker(tmp_path)
    finally:
        worker.process.stop()
    assert dict(Asset.objects.values_list("state").annotate(Count("pk"))) == {"ready": CLIPS}
    for asset in Asset.objects.all():
        assert default_storage.exists(names.playback(asset.public_id))
        assert default_storage.exists(names.frame(asset.public_id, 7))
