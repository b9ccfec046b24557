"""Where programs run. An executor has three verbs: launch, poll, cancel."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import psutil

#: In the environment of a program: the folder of its run. A worker that starts again finds what is left by it.
FOLDER_VARIABLE = "DIPTYCH_RUN_FOLDER"
#: Seconds that a program gets to write a checkpoint before it is killed.
GRACE_S = 30.0
#: The exit status of a program that vanished without one, as for SIGKILL.
KILLED = -signal.SIGKILL
EXIT_FILE = "exit"


class Executor(Protocol):
    """Runs one program at a time. `events` gets its standard output, `log` its standard error."""

    def launch(
        self, command: Sequence[str], folder: Path, *, events: Path, log: Path, environment: Mapping[str, str]
    ) -> None:
        """Start the program. Raise OSError."""

    def poll(self) -> int | None:
        """Return the exit status (negative: the signal that ended it), or None while the program runs."""

    def cancel(self) -> None:
        """Ask the program to write a checkpoint and to end. Kill it with all its children after a while. Return when
        nothing of it is left.
        """

    def processes(self) -> list[psutil.Process]:
        """Return the processes of the program on this machine."""


class Local:
    """Runs programs on this machine, each in its own process group behind a guard (`training/worker/guard.py`)."""

    def __init__(self, *, grace_s: float = GRACE_S) -> None:
        self.grace_s = grace_s
        self._guard: subprocess.Popen[bytes] | None = None
        self._exit_file = Path()

    def launch(
        self, command: Sequence[str], folder: Path, *, events: Path, log: Path, environment: Mapping[str, str]
    ) -> None:
        end_leftovers(folder, self.grace_s)
        self._exit_file = folder / EXIT_FILE
        self._exit_file.unlink(missing_ok=True)
        guarded = [sys.executable, "-m", "training.worker.guard", str(self._exit_file), str(self.grace_s), *command]
        with events.open("wb") as output, log.open("ab") as errors:
            self._guard = subprocess.Popen(
                guarded,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=errors,
                env={**environment, FOLDER_VARIABLE: str(folder)},
                start_new_session=True,
            )

    def poll(self) -> int | None:
        if self._guard is None or self._guard.poll() is None:
            return None
        self._end_group()
        try:
            return int(self._exit_file.read_text())
        except (OSError, ValueError):
            return KILLED

    def cancel(self) -> None:
        if self._guard is None:
            return
        if self._guard.stdin is not None:
            with suppress(OSError):
                self._guard.stdin.close()
        try:
            self._guard.wait(self.grace_s + 5)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        self._end_group()
        self._guard = None

    def processes(self) -> list[psutil.Process]:
        if self._guard is None:
            return []
        try:
            return psutil.Process(self._guard.pid).children(recursive=True)
        except psutil.Error:
            return []

    def _end_group(self) -> None:
        """Kill what is left of the process group, also if the guard itself was killed."""
        if self._guard is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._guard.pid, signal.SIGKILL)


def end_leftovers(folder: Path, grace_s: float) -> None:
    """End the processes that an earlier worker left for this run folder. Return when none is left.

    Their guard has already asked them to end, because that worker is gone.
    """
    until = time.monotonic() + grace_s
    while (left := _processes_of(folder)) and time.monotonic() < until:
        time.sleep(0.1)
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=10)


def _processes_of(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(FOLDER_VARIABLE) == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


class Slurm:
    """Hands programs to a Slurm cluster with `submitit`. The folder of the worker must be on a shared file system.

    It was tested with submitit's local executor, and has not run on a cluster.
    """

    def __init__(self, folder: Path, *, cluster: str | None = None, grace_s: float = GRACE_S, **options: Any) -> None:
        try:
            import submitit
        except ImportError as error:
            raise SystemExit("The executor slurm needs submitit. Install it: pip install 'diptych[slurm]'") from error
        self.grace_s = grace_s
        self._executor = submitit.AutoExecutor(folder=folder / "submitit", cluster=cluster)
        self._executor.update_parameters(**{"timeout_min": 24 * 60, **options})
        self._job: Any = None
        self._folder = self._exit_file = Path()

    def launch(
        self, command: Sequence[str], folder: Path, *, events: Path, log: Path, environment: Mapping[str, str]
    ) -> None:
        self._exit_file = folder / EXIT_FILE
        self._exit_file.unlink(missing_ok=True)
        self._folder = folder
        given = {**environment, FOLDER_VARIABLE: str(folder)}
        self._job = self._executor.submit(
            run_program, list(command), str(events), str(log), str(self._exit_file), given, self.grace_s
        )

    def poll(self) -> int | None:
        if self._job is None or not self._job.done():
            return None
        try:
            return int(self._exit_file.read_text())
        except (OSError, ValueError):
            return KILLED

    def cancel(self) -> None:
        if self._job is None:
            return
        self._job.cancel()
        until = time.monotonic() + self.grace_s
        while not self._job.done() and time.monotonic() < until:
            time.sleep(0.2)
        end_leftovers(self._folder, self.grace_s)  # where the node is this machine
        self._job = None

    def processes(self) -> list[psutil.Process]:
        return []


def run_program(
    command: list[str], events: str, log: str, exit_file: str, environment: dict[str, str], grace_s: float
) -> None:
    """Run a program on a node of the cluster behind a guard, which ends it if the scheduler ends this process."""
    guarded = [sys.executable, "-m", "training.worker.guard", exit_file, str(grace_s), *command]
    with open(events, "wb") as output, open(log, "ab") as errors:
        subprocess.Popen(
            guarded, stdin=subprocess.PIPE, stdout=output, stderr=errors, env=environment, start_new_session=True
        ).wait()
