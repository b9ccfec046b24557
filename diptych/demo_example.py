"""Make the example study of the demo in the background: install the training programs, fill the study, and train.

It begins when people can sign in. Its programs have the lowest priority, so that pages stay fast.
"""

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from diptych.embedded.process import Guarded
from diptych.embedded.state import REPOSITORY, Home, write_private

#: What the training programs need, as packages are imported.
NEEDED = ("torch", "transformers", "safetensors", "efficientnet_lite_pytorch")
STARTS = 3  # of a program that ends with an error
LOWEST = ["nice", "-n", "19"] if os.name == "posix" else []


def begin(example: "Example", stack: ExitStack) -> Callable[[], None]:
    """Begin the example, unless DEMO_LOOP is 0. Return a function to call again and again. The stack ends it."""
    if os.environ.get("DEMO_LOOP", "1") == "0":
        return lambda: None
    stack.callback(example.stop)
    example.begin()
    return example.watch


class Example:
    """The programs that make the example. Call `watch` again and again, and `stop` at the end.

    Args:
        port: of the web server. guard: starts a program that ends with this process. say: prints a line.
    """

    def __init__(self, home: Home, port: int, guard: Callable[..., Guarded], say: Callable[[str], None]) -> None:
        self.home, self.port, self.guard, self.say = home, port, guard, say
        self.making: Guarded | None = None
        self.installing: Guarded | None = None
        self.worker: Guarded | None = None
        self.starts = {"making": 0, "worker": 0}

    @property
    def token(self) -> Path:
        """Return the file with the worker's token, which the command writes."""
        return self.home.path / "training-token"

    def begin(self) -> None:
        """Start filling the study, and install the training programs if they are missing."""
        if _is_installed():
            self._note("ready")
        else:
            self._note("installing")
            command: list[Any] = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            command += ["-c", REPOSITORY / "constraints.txt", "-e", REPOSITORY / "training" / "learn"]
            self.installing = self._start("The installation of the training programs", command, "training-install")
        self._make()

    def watch(self) -> None:
        """Go on with what is next, and say what has ended."""
        self._watch_installation()
        if self.making is not None and not self.making.is_alive():
            status, self.making = self.making.wait(), None
            if status == 0:
                self.say("  The example study is complete: its page is /studies/example/example/")
            elif self.starts["making"] < STARTS:
                self._make()
            else:
                self.say(f"  The example study could not be completed. See {self.home.log('example')}.")
        if self.worker is not None and not self.worker.is_alive() and self.starts["worker"] < STARTS:
            self.worker = None
        if self.worker is None and self.installing is None and _is_installed() and self.token.exists():
            self._start_worker()

    def stop(self) -> None:
        """End all programs of the example. Their work continues with the next start."""
        running = [one for one in (self.making, self.installing, self.worker) if one is not None]
        for one in running:
            one.begin_stop()
        for one in running:
            one.stop()

    def _make(self) -> None:
        self.starts["making"] += 1
        command: list[Any] = [sys.executable, REPOSITORY / "manage.py", "make_example_study"]
        self.making = self._start("The example study", command, "example")

    def _watch_installation(self) -> None:
        if self.installing is None or self.installing.is_alive():
            return
        status, self.installing = self.installing.wait(), None
        if status == 0 and _is_installed():
            self._note("ready")
            return
        self._note("failed")
        self.say(
            "  The training programs could not be installed, so the example has no models. "
            f"See {self.home.log('training-install')}."
        )

    def _start_worker(self) -> None:
        self.starts["worker"] += 1
        command: list[Any] = [sys.executable, "-m", "training.worker", "--server", f"http://127.0.0.1:{self.port}"]
        command += ["--token-file", self.token, "--folder", self.home.path / "training-worker"]
        command += ["--name", "demo", "--poll-s", "2"]
        self.worker = self._start("The training worker", command, "training-worker")

    def _start(self, name: str, command: list[Any], log: str) -> Guarded:
        return self.guard(name, [*LOWEST, *command], log=self.home.log(log), grace=5.0)

    def _note(self, state: str) -> None:
        """Write for the example's page how far the installation is."""
        with suppress(OSError):
            write_private(self.home.path / "training.json", json.dumps({"state": state}) + "\n")


def _is_installed() -> bool:
    importlib.invalidate_caches()
    return all(importlib.util.find_spec(name) for name in NEEDED)
