import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from diptych.embedded import Home, Servers, start
from tests.embedded.helpers import python_for_nobody


@pytest.fixture(autouse=True)
def _no_servers_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "DIPTYCH_HOME", "FFMPEG", "FFPROBE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can enter, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    path.chmod(0o755)
    yield path
    for home in {Home(found.parent) for found in path.rglob("lock")}:
        home.remove()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def home(folder: Path) -> Path:
    return folder / "home"


@pytest.fixture(scope="module")
def shared() -> Iterator[Servers]:
    """Servers that the tests of one file only look at."""
    variables = {name: os.environ.pop(name) for name in ("DATABASE_URL", "REDIS_URL") if name in os.environ}
    path = Path(tempfile.mkdtemp(prefix="diptych-test-"))
    path.chmod(0o755)
    servers = start(path / "home")
    os.environ.update(variables)
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
