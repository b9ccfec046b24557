"""Planted releases, and the programs run in this process: loading torch takes seconds, so it is loaded once."""

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.learn import planted

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True, scope="package")
def _one_thread() -> Iterator[None]:
    """Compute on one thread: then the same inputs give the same bits, and other tests keep their processor."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="package")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of embeddings that all tests share."""
    return tmp_path_factory.mktemp("embeddings")


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> planted.World:
    """Return a small planted world, with its release in `folder`."""
    return planted.write(tmp_path_factory.mktemp("planted"), planted.World())


@pytest.fixture(scope="package")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> planted.World:
    """Return a world in which nothing can be learned well, but soon."""
    return planted.write(tmp_path_factory.mktemp("tiny"), planted.World(**planted.TINY))


@dataclass
class Ran:
    """How a program ended, and what it printed."""

    code: int
    out: Path
    events: list[dict[str, Any]] = field(default_factory=list)

    def named(self, name: str) -> list[dict[str, Any]]:
        return [one for one in self.events if one["event"] == name]

    @property
    def failed(self) -> dict[str, Any]:
        return self.named("failed")[0]

    def figure(self, name: str, target: str = "helpfulness", tag: str | None = None) -> dict[str, Any]:
        rows = self.named("done")[0]["metrics"]
        return next(one for one in rows if (one["figure"], one["target"], one["tag"]) == (name, target, tag))


@pytest.fixture
def run(tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Return a function that runs a program on a release. Every line that it prints must be an event."""

    def run(program: str, release: Path, *arguments: object, out: Path | None = None) -> Ran:
        out = out or tmp_path / "run"
        capsys.readouterr()
        command = ["--release", release, "--out", out, "--cache", cache, *arguments]
        code = import_module(f"training.learn.{program}").main([str(word) for word in command])
        return Ran(code, out, [json.loads(line) for line in capsys.readouterr().out.splitlines()])

    return run
