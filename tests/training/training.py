"""Releases to train on, runs, and workers, for tests."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from accounts.tokens import issue_token
from releases.filters import Filter
from releases.models import Release
from tests.production import environment
from tests.releases import releasing
from training import queueing
from training.models import Run
from training.queueing import Wanted
from training.worker.executors import Local
from training.worker.looping import Worker
from training.worker.server import Server

PROGRAMS = "tests.training.programs"
ANY_DECISION = Filter(decisions=("accepted", "none"))


def released(study: Any, pairs: int = 1) -> Release:
    """Return a complete release with so many new pairs."""
    releasing.answered(study, pairs=pairs)
    made = releasing.make(study, filter=ANY_DECISION)
    assert (made.state, made.reason) == ("done", "")
    return made


def queued(release: Release, *, actor: Any = None, policies: dict[str, str] | None = None, **values: Any) -> Run:
    """Queue a run of the test program. `policies` are its faults."""
    given = {"targets": ["helpfulness"], "options": {"policies": policies} if policies else {}} | values
    return queueing.ask(release, Wanted(**given), actor=actor)


def token_of(person: Any) -> str:
    return issue_token(person, scopes=["train", "export"])


def worker(server: str, token: str, folder: Path, *, name: str = "gpu-1", grace_s: float = 5) -> Worker:
    """Return a worker in this process. Its programs are processes of their own."""
    executor = Local(grace_s=grace_s)
    return Worker(Server(server, token), executor, folder, name=name, package=PROGRAMS, beat_s=0.3)


def start_worker(
    server: str, token: str, folder: Path, *options: str, name: str = "gpu-1"
) -> "subprocess.Popen[bytes]":
    """Start a worker as people do, which ends when no run waits unless `options` say otherwise."""
    file = folder.with_name(f"{folder.name}.token")
    file.write_text(token)
    command = [sys.executable, "-m", "training.worker", "--server", server, "--token-file", str(file)]
    command += ["--folder", str(folder), "--name", name, "--programs", PROGRAMS, "--beat-s", "0.3", "--poll-s", "0.3"]
    # No variable of the server: a worker knows neither its database nor its broker.
    bare = {key: value for key, value in environment().items() if key not in ("DATABASE_URL", "REDIS_URL")}
    return subprocess.Popen(
        [*command, "--grace-s", "5", *options], env=bare, stderr=(folder.with_suffix(".log")).open("ab")
    )
