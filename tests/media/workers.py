"""A real Celery worker on the test database, and originals for it to prepare."""

import os
import signal
import sys
from contextlib import closing, suppress
from pathlib import Path

import psutil
from celery import current_app
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from diptych.embedded.process import Guarded
from media import transcoding
from media.hashing import sha256_of
from media.models import Asset
from media.originals import original_name
from tests import factories


def pending(path: Path, **values) -> Asset:
    """A pending asset with its original in storage."""
    digest = sha256_of_path(path)
    with path.open("rb") as file:
        name = default_storage.save(original_name(digest), File(file))
    values = {"state": "waiting", "sha256": digest} | values
    return factories.asset(byte_size=path.stat().st_size, original=name, **values)


def abandon(asset):
    """Its worker was killed a while ago."""
    Asset.objects.filter(pk=asset.pk).update(heartbeat_at=timezone.now() - 2 * transcoding.POLICY.abandoned_after)


def pair_of(study, first, second):
    prompt = factories.prompt(study)
    return factories.pair(
        study,
        prompt=prompt,
        video_0=factories.video(prompt, asset=first),
        video_1=factories.video(prompt, asset=second),
        ready=False,
    )


def sha256_of_path(path: Path) -> str:
    with path.open("rb") as file:
        return sha256_of(file)


class Worker:
    """A Celery worker on the queues `default` and `media`, with more `arguments`."""

    def __init__(self, *arguments: str) -> None:
        address = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
        command = [sys.executable, "-m", "celery", "-A", "diptych", "worker", "-Q", "default,media", *arguments]
        self.log = Path(settings.HOME.path) / "logs" / "worker.log"
        self.process = Guarded(
            "The worker", command, log=self.log, grace=1, environment=os.environ | {"DATABASE_URL": address}
        )

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        """kill -9 of the worker and all it started, in the middle of whatever they do."""
        worker = psutil.Process(self.process.pid)
        for member in [worker, *worker.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):  # ffmpeg ends with the worker
                member.send_signal(signal.SIGKILL)
        self.process.stop()


def told() -> list[int]:
    """Takes every message out of the broker's queue `media`: the assets that a worker would have heard of."""
    return queued_ids("media")


def queued_ids(queue_name: str) -> list[int]:
    """Take every message out of a queue of the broker. Return the ids of rows that they carry."""
    return [row_id for _task, row_id in taken(queue_name)]


def run_queued(queue_name: str) -> None:
    """Take every message out of a queue of the broker, and run its task here, as a worker would."""
    current_app.loader.import_default_modules()
    for task, row_id in taken(queue_name):
        current_app.tasks[task](row_id)


def taken(queue_name: str) -> list[tuple[str, int]]:
    """Take every message out of a queue of the broker. Return the task and the row of each."""
    found = []
    with current_app.connection_for_read() as broker, closing(broker.SimpleQueue(queue_name)) as queue:
        while True:
            try:
                message = queue.get_nowait()
            except queue.Empty:
                return found
            [row_id], _, _ = message.payload
            found.append((message.headers["task"], row_id))
            message.ack()


def empty(queue_name: str) -> None:
    """Throw away every message in a queue of the broker."""
    with current_app.connection_for_write() as broker:
        broker.default_channel.queue_purge(queue_name)
