import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from diptych.embedded import Home, Servers, start
from tests.embedded.observing import eventually, python_for_nobody

FROM_OUTSIDE = ("DATABASE_URL", "REDIS_URL", "DIPTYCH_HOME", "FFMPEG", "FFPROBE")


@contextmanager
def without_servers_from_outside() -> Iterator[None]:
    """Run a block as if the test run had no servers of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in FROM_OUTSIDE:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(autouse=True)
def _no_servers_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test without outside servers. The test's own patches are undone with it, in the right order."""
    for name in FROM_OUTSIDE:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Make a folder that every user can enter, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    path.chmod(0o755)
    yield path
    for mark in list(path.rglob(Home(path).mark.name)):
        Home(mark.parent).remove()  # with data that lie elsewhere
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def made() -> Iterator[Path]:
    """Make a state folder with its cluster, which takes longer than anything else in a test."""
    path = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    path.chmod(0o755)
    with without_servers_from_outside():
        start(path / "home").stop()
    yield path / "home"
    shutil.rmtree(path)


@pytest.fixture
def home(made: Path) -> Iterator[Path]:
    """Return a state folder whose servers earlier tests started and killed. It must work all the same."""
    yield made
    eventually(lambda: not Home(made).is_held(), "a test ends what it started")


@pytest.fixture
def home_to_harm(folder: Path, made: Path) -> Path:
    """Return a state folder for a test that damages it or needs it for itself."""
    subprocess.run(["cp", "-a", made, folder / "home"], check=True)
    return folder / "home"


@pytest.fixture(scope="module")
def shared() -> Iterator[Servers]:
    """Start servers that the tests of one file only read."""
    path = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    path.chmod(0o755)
    with without_servers_from_outside():
        servers = start(path / "home")
    yield servers
    servers.stop()
    servers.home.remove()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def nobodys_python() -> str:
    if os.geteuid() != 0:
        pytest.skip("only root can become the user nobody")
    python = python_for_nobody()
    if python is None:
        pytest.skip("no Python here that the user nobody could run")
    return python


@pytest.fixture
def root() -> None:
    if os.geteuid() != 0:
        pytest.skip("is about running as root")
