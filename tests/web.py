"""Fixtures that run the production web server on the test database, and clips that it can serve."""

import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ffmpeg
import pytest
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection

from diptych.embedded import binaries
from diptych.embedded.process import Guarded
from media import names
from media.models import Asset
from media.transcode import Renditions, transcode
from tests import factories
from tests.browser import barcodes

STARTS_WITHIN_S = 30


@pytest.fixture(scope="session")
def server(django_db_setup: None, _static_files_are_collected: None) -> Iterator[str]:
    """Return the address of a Granian with the product on the test database."""
    port = free_port()
    running = serve(port)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(
    port: int,
    *,
    grace: float = 3,
    workers: int = 1,
    threads: int = 8,
    application: str = "diptych.wsgi:application",
    **environment: str,
) -> Guarded:
    """Run a Granian on the test database, and yield when it responds.

    With no `grace` it is killed in the middle of its work.
    """
    database = connection.settings_dict
    user, password, host, database_port = (database[key] for key in ("USER", "PASSWORD", "HOST", "PORT"))
    address = f"postgresql://{user}:{password}@{host}:{database_port}/{database['NAME']}"
    log = Path(settings.HOME.path) / "logs" / "web.log"
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", str(workers), "--blocking-threads", str(threads)]
    running = Guarded(
        "The web server",
        [*command, application],
        log=log,
        grace=grace,
        environment=os.environ | {"DATABASE_URL": address} | environment,
    )
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/healthz"), f"the web server did not start; see {log}")
    except BaseException:
        running.stop()
        raise
    return running


def wait_for(condition: Callable[[], Any], otherwise: str, within_s: float = STARTS_WITHIN_S) -> Any:
    """Return the result of `condition` as soon as it is true."""
    deadline = time.monotonic() + within_s
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(otherwise)
        time.sleep(0.05)
    return found


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


#: Short clips that a person can tell apart: source, frame rate, seconds. Numbered clips show the number of the frame in
#: their picture.
CLIPS = {
    "moving": ("testsrc2=size=320x180:rate=24:duration=1.5", 24),
    "still": ("color=c=steelblue:size=320x180:rate=24:duration=1.5", 24),
    "short": ("testsrc=size=320x180:rate=25:duration=1", 25),
    "tall": ("testsrc2=size=180x320:rate=30:duration=1.5", 30),
    "numbered": (barcodes.source("320x180", 24, 2), 24),
    "numbered too": (barcodes.source("320x180", 24, 2, below="smptebars"), 24),
    "numbered faster": (barcodes.source("320x180", 30, 2), 30),
    "numbered longer": (barcodes.source("320x180", 24, 3), 24),
    "magenta": ("color=c=magenta:size=320x180:rate=24:duration=1.5", 24),
}


class Transcoded(dict[str, Renditions]):
    """The clips by name. Each is transcoded when it is first requested."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __missing__(self, name: str) -> Renditions:
        source, _ = CLIPS[name]
        original = self.folder / f"{name}.mp4"
        ffmpeg.input(source, f="lavfi").output(str(original), vcodec="libx264", pix_fmt="yuv420p").run(
            cmd=binaries.ffmpeg(), quiet=True
        )
        self[name] = transcode(original, self.folder / name)
        return self[name]


@pytest.fixture(scope="session")
def renditions(tmp_path_factory: pytest.TempPathFactory) -> Transcoded:
    """Transcode the clips once per run."""
    return Transcoded(tmp_path_factory.mktemp("clips"))


@pytest.fixture
def playable(renditions: Transcoded) -> Callable[[str], Asset]:
    """Make a ready asset whose files are one of the clips."""

    def make(name: str) -> Asset:
        clip = renditions[name]
        asset = factories.asset(duration_s=clip.facts.duration_s, fps=clip.facts.fps)
        files = {names.playback(asset.public_id): clip.playback, names.poster(asset.public_id): clip.poster}
        for stored, path in files.items():
            with path.open("rb") as file:
                default_storage.save(stored, File(file))
        return asset

    return make


@pytest.fixture
def playable_pairs(playable: Callable[[str], Asset]) -> Callable[..., list[Any]]:
    """Make pairs of a moving and a still clip that a browser can play."""

    def make(study: Any, count: int, clips: tuple[str, str] = ("moving", "still"), **values: Any) -> list[Any]:
        made = []
        for _ in range(count):
            prompt = factories.prompt(study)
            videos = [factories.video(prompt, asset=playable(clip)) for clip in clips]
            made.append(factories.pair(study, prompt=prompt, video_0=videos[0], video_1=videos[1], **values))
        return made

    return make
