"""Code that the tests of the embedded servers share: queries, processes, and programs that run as another user."""

import json
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import redis

REPOSITORY = Path(__file__).resolve().parents[2]
SITE_PACKAGES = Path(psycopg.__file__).parents[1]
NOBODY = pwd.getpwnam("nobody")


def rows(url: str, statement: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def broker(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True, socket_timeout=5)


def eventually(test: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Wait until `test` returns something true. Fail with `what` if it does not in time."""
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def addresses(home: Path) -> dict:
    return json.loads((home / "servers.json").read_text())


def postmaster(home: Path) -> int:
    return int((Path(addresses(home)["postgres_data"]) / "postmaster.pid").read_text().split()[0])


def valkey_process(home: Path) -> int:
    return broker(addresses(home)["redis_url"]).info("server")["process_id"]


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and all its descendants."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def kill_all(processes: Sequence[psutil.Process]) -> None:
    for one in processes:
        with suppress(psutil.NoSuchProcess):  # it may have ended together with an earlier one
            one.kill()


def all_gone(processes: Sequence[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


class Holder:
    """`python -m diptych.embedded` in a process of its own, which a test can kill."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-m", "diptych.embedded", "--home", str(home)],
            cwd=REPOSITORY,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        first = self.process.stdout.readline()
        assert "addresses are in" in first, first + self.process.stdout.read()

    def family(self) -> list[psutil.Process]:
        return tree(self.process.pid)

    def end(self, number: signal.Signals = signal.SIGTERM) -> str:
        """Send a signal. Return what the process printed."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=60)[0]


def clean_environment(**more: str) -> dict[str, str]:
    """Return our environment without anything that would lead to other servers."""
    ours = {"DATABASE_URL", "REDIS_URL", "DIPTYCH_HOME", "FFMPEG", "FFPROBE"}
    return {key: value for key, value in os.environ.items() if key not in ours} | more


def run_embedded(home: Path, *command: str, python: str = sys.executable, **options) -> subprocess.CompletedProcess:
    """Run `python -m diptych.embedded -- COMMAND` to its end."""
    options.setdefault("env", clean_environment())
    options.setdefault("cwd", REPOSITORY)
    return subprocess.run(
        [python, "-m", "diptych.embedded", "--home", str(home), "--", *command],
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def python_for_nobody() -> str | None:
    """Return a Python that the user nobody can run and that finds the embedded servers, if there is one."""
    for candidate in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}", "/usr/bin/python3"):
        try:
            tried = subprocess.run(
                [candidate, "-c", "import diptych.embedded"],
                env=clean_environment(PYTHONPATH=f"{REPOSITORY}:{SITE_PACKAGES}"),
                cwd="/",
                capture_output=True,
                **as_nobody(),
            )
        except OSError:
            continue
        if tried.returncode == 0:
            return candidate
    return None


def as_nobody() -> dict:
    return {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []}
