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

from catalog import transcoding
from catalog.hashing import sha256_of
from catalog.importing.files import original_name
from catalog.models import Asset
from diptych.embedded.process import Guarded
from tests import factories


def pending(path: Path, **values) -> Asset:
    """A pending asset with its original in storage."""
    digest = sha256_of_path(path)
    with path.open("rb") as file:
        name = default_storage.save(original_name(digest), File(file))
    values = {"state": "pending", "sha256": digest} | values
    return factories.asset(byte_size=path.stat().st_size, original=name, **values)


def abandon(asset):
    """Its worker was killed a while ago."""
    Asset.objects.filter(pk=asset.pk).update(heartbeat_at=timezone.now() - 2 * transcoding.ABANDONED_AFTER)


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
    heard = []
    with current_app.connection_for_read() as broker, closing(broker.SimpleQueue("media")) as queue:
        while True:
            try:
                message = queue.get_nowait()
            except queue.Empty:
                return heard
            arguments, _, _ = message.payload
            heard += arguments
            message.ack()
