"""Fixtures of several test files of this room."""

import ffmpeg
import pytest

from diptych.embedded import binaries
from tests.catalog.import_jobs import own_bytes
from tests.catalog.manifests import prompts_with_videos, write
from tests.catalog.workers import pending


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


@pytest.fixture
def root(tmp_path, settings):
    """The one folder that imports may read."""
    folder = tmp_path / "imports"
    folder.mkdir()
    settings.IMPORT_ROOTS = [folder]
    return folder


@pytest.fixture
def material(root):
    """A manifest of two prompts with three videos each, whose bytes no other test has."""
    return own_bytes(write(root / "colours", prompts_with_videos(2, 3)), root.parent.name)
