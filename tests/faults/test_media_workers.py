"""Workers are killed at random and at every point, messages are doubled and lost, and the broker is gone.

Every video still ends ready, once, and no file is left that no row names.
"""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from random import Random

import ffmpeg
import psutil
import pytest
from celery import current_app
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone

from diptych.embedded import binaries
from importing import storage_check
from jobs import messages
from media import names
from media.models import Asset
from media.tasks import resend_waiting_media
from media.transcoding import POLICY
from tests import servers
from tests.media.workers import Worker, pending
from tests.web import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

CLIPS = 40
KILLS = 8
LIMIT_S = 900
#: The soak. Its size can be reduced for a busy machine.
SOAK_CLIPS = int(os.environ.get("SOAK_CLIPS", "2000"))
SOAK_LIMIT_S = 1800


@pytest.fixture(autouse=True)
def _own_storage_and_queue(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setenv("MEDIA_ROOT", str(settings.MEDIA_ROOT))  # of the workers
    with current_app.connection_for_write() as broker:
        broker.default_channel.queue_purge("media")


def made(folder: Path, count: int, *, size: str, frames: int, longer: int) -> list[Path]:
    """Make clips of different lengths: each has `longer` frames more than the one before, and so its own bytes."""

    def make(number: int) -> Path:
        path = folder / f"{number}.avi"
        source = ffmpeg.input(f"testsrc2=size={size}:rate=24:duration=60", f="lavfi")
        source.output(str(path), vcodec="mpeg4", vframes=frames + longer * number).run(
            cmd=binaries.ffmpeg(), quiet=True
        )
        return path

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(make, range(count)))


def variants(clip: Path, count: int) -> list[Path]:
    """Make files that play alike and differ in their bytes: a player reads an AVI only as far as its header says."""
    played = clip.read_bytes()
    paths = [clip.with_name(f"variant-{number}.avi") for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(played + number.to_bytes(4, "big"))
    return paths


def announce(assets: list[Asset]) -> None:
    messages.send(POLICY.task, [asset.pk for asset in assets])


def unfinished() -> int:
    return Asset.objects.exclude(state__in=["done", "failed"]).count()


def all_is_well(count: int, monkeypatch) -> None:
    """Check that every video is ready with all its files, and that nothing else is in storage, however new."""
    assert dict(Asset.objects.values_list("state").annotate(Count("pk"))) == {"done": count}
    monkeypatch.setattr(storage_check, "ORPHAN_AGE", timedelta(0))
    assert list(storage_check.differences()) == []


class Working:
    """A worker with its beat, which can be killed and restarted."""

    def __init__(self, tmp_path: Path) -> None:
        self.arguments = ("-B", "--concurrency", "2", "-s", str(tmp_path / "schedule"))
        self.worker = Worker(*self.arguments)

    def kill_and_start_again(self) -> None:
        self.worker.kill()
        self.worker = Worker(*self.arguments)

    def __enter__(self) -> "Working":
        return self

    def __exit__(self, *error: object) -> None:
        self.worker.stop()


def is_busy(since) -> bool:
    """Return whether a worker has claimed or finished anything since then."""
    return Asset.objects.filter(Q(heartbeat_at__gt=since) | Q(finished_at__gt=since)).exists()


def kill_at_random(working: Working, dice: Random, kills: int, *, limit_s: float) -> int:
    """Kill the worker a few seconds after it began to work, until all is finished or `kills` times are reached.

    Return the number of kills.
    """
    deadline, killed, began = time.monotonic() + limit_s, 0, timezone.now()
    while left := unfinished():
        assert time.monotonic() < deadline, f"{left} videos are not finished after {killed} kills"
        if killed == kills or not is_busy(began):
            time.sleep(0.2)
            continue
        time.sleep(dice.uniform(1, 6))
        working.kill_and_start_again()
        killed, began = killed + 1, timezone.now()
    return killed


def test_every_video_ends_ready_though_workers_are_killed_at_random(tmp_path, monkeypatch):
    assets = [pending(path) for path in made(tmp_path, CLIPS, size="640x360", frames=24, longer=1)]
    announce(assets * 2)  # every message twice
    with Working(tmp_path) as working:
        kill_at_random(working, Random(1), KILLS, limit_s=LIMIT_S)
    all_is_well(CLIPS, monkeypatch)
    assert {default_storage.exists(names.frame(asset.public_id, 7)) for asset in assets} == {True}


def test_a_soak_of_tiny_clips_with_workers_killed_every_few_seconds(tmp_path, monkeypatch):
    [clip] = made(tmp_path, 1, size="64x64", frames=6, longer=0)
    assets = [pending(path) for path in variants(clip, SOAK_CLIPS)]
    announce(assets)
    began = time.monotonic()
    with Working(tmp_path) as working:
        killed = kill_at_random(working, Random(2), 10**6, limit_s=SOAK_LIMIT_S)
    again = Asset.objects.filter(fence__gt=1).count()
    print(f"{SOAK_CLIPS} clips in {time.monotonic() - began:.0f} s, {killed} kills, {again} begun more than once")
    assert killed >= SOAK_CLIPS // 100
    all_is_well(SOAK_CLIPS, monkeypatch)


def test_a_broker_that_is_gone_for_a_while_loses_no_video(tmp_path, monkeypatch):
    if os.environ.get("REDIS_URL") != servers.servers.redis_url or not servers.servers._running:
        pytest.skip("this run uses a broker of somebody else's")
    assets = [pending(path) for path in made(tmp_path, 12, size="320x180", frames=24, longer=2)]
    [broker] = [one for one in servers.servers._running if one.server.address_key == "redis_url"]
    with Working(tmp_path) as working:
        announce(assets[:6])
        wait_for(lambda: Asset.objects.filter(state="done").exists(), "nothing was prepared", within_s=60)
        psutil.Process(broker.process.pid).send_signal(signal.SIGKILL)
        wait_for(lambda: not broker.process.is_alive(), "the broker lives on")
        announce(assets)  # the messages are lost
        time.sleep(10)
        servers.servers.restart_ended()
        assert working.worker.process.is_alive()
        Asset.objects.update(created_at=timezone.now() - 2 * POLICY.resend_after)
        wait_for(lambda: not unfinished(), f"{unfinished()} videos wait still; see {working.worker.log}", within_s=120)
    all_is_well(12, monkeypatch)


#: What the worker is about to do when it is killed: a function, and the number of its call.
POINTS = {
    "claimed": ("transcoding.process", 1),
    "copying": ("transcoding.fetch", 1),
    "transcoding": ("transcoding.transcode", 1),
    "transcoded": ("transcoding.renew", 1),
    "storing": ("transcoding.store_file", 3),
    "half a file stored": ("storage.os.replace", 4),
    "stored": ("transcoding.finish", 1),
    "ready and not committed": ("readiness.settle_pairs", 1),
}
KILLED_AT = """
import os, signal, threading
from catalog import readiness
from diptych import storage
from media import tasks, transcoding

def die_at(path, call):
    *owners, name = path.split(".")
    owner = {"readiness": readiness, "transcoding": transcoding, "storage": storage}[owners[0]]
    for inner in owners[1:]:
        owner = getattr(owner, inner)
    real, lock, calls = getattr(owner, name), threading.Lock(), []

    def dying(*arguments, **named):
        with lock:
            calls.append(1)
            if len(calls) == call:
                os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)

    setattr(owner, name, dying)

die_at(%r, %d)
tasks.transcode_asset(0)
"""


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_this_point_leaves_a_video_that_ends_ready(tmp_path, monkeypatch, point):
    [asset] = [pending(path) for path in made(tmp_path, 1, size="64x64", frames=12, longer=0)]
    address = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    killed = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", KILLED_AT % POINTS[point]],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": address},
        check=False,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    asset.refresh_from_db()
    assert (asset.state, asset.fence) == ("running", 1)

    Asset.objects.update(
        heartbeat_at=timezone.now() - 2 * POLICY.abandoned_after,
        created_at=timezone.now() - 2 * POLICY.resend_after,
    )
    assert resend_waiting_media() == 1
    worker = Worker("-P", "solo")
    try:
        wait_for(lambda: not unfinished(), f"the worker prepared nothing; see {worker.log}", within_s=60)
    finally:
        worker.stop()
    all_is_well(1, monkeypatch)
