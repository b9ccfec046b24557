"""Fixtures of several test files of this app."""

import ffmpeg
import pytest

from diptych.embedded import binaries
from tests.media.workers import pending


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Half a second of MPEG-4 part 2 in an AVI, which no browser plays."""
    path = tmp_path_factory.mktemp("clips") / "clip.avi"
    source = ffmpeg.input("testsrc2=size=160x90:rate=12:duration=0.5", f="lavfi")
    source.output(str(path), vcodec="mpeg4").run(cmd=binaries.ffmpeg(), quiet=True)
    return path


@pytest.fixture
def asset(clip):
    return pending(clip)
