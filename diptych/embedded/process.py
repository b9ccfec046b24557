"""A guarded process from its parent's side: start it, watch it, stop it, and read its log."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from diptych.embedded import guard
from diptych.embedded.state import EmbeddedError, is_alive, sentences_for

KILL_AFTER = 10.0  # seconds beyond the grace period after which a guard itself is killed


@dataclass(frozen=True)
class User:
    """The user that a server runs as, if not the current one."""

    uid: int
    gid: int


class Guarded:
    """One command under a guard process. It ends when `stop` is called or when this process is gone.

    Args:
        name: the name of the command in messages.
        command: program and arguments.
        log: the file to which its output is appended. None: the output of this process.
        stop_signal: the signal that asks it to end. It also gets this signal if the guard itself is killed.
        grace: seconds between the stop signal and SIGKILL.
        environment: its whole environment. None: that of this process.
        user: the user that it runs as, which needs root.
        keep: descriptors that it inherits (the lock of the state folder).
        stdin: its standard input. None: it is empty.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace: float = 10.0,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: User | None = None,
        keep: Sequence[int] = (),
        stdin: IO[bytes] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self.grace = grace
        self._owner = os.getpid()
        self._pid: int | None = None
        self._channel, theirs = socket.socketpair()
        options = ["--channel", theirs.fileno(), "--parent", os.getpid()]
        options += ["--stop-signal", int(stop_signal), "--grace", grace]
        for descriptor in keep:
            options += ["--keep", descriptor]
        if user is not None:
            options += ["--uid", user.uid, "--gid", user.gid]
        with theirs, ExitStack() as stack:
            output = None
            if log is not None:
                stack.enter_context(sentences_for(log))
                output = stack.enter_context(log.open("ab"))
                self._log_begins = output.tell()
            # By path, isolated and without site: it starts in 30 ms, whatever `diptych` imports.
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__, *map(str, options), "--", *map(str, command)],
                stdin=stdin or subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                cwd=cwd,
                pass_fds=[theirs.fileno(), *keep],
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Return the process id of the command itself. Raises EmbeddedError if it could not be started."""
        if self._pid is None:
            try:
                answer = self._channel.recv(100)
            except OSError:  # reset, or closed by `begin_stop`
                answer = b""
            if not answer:
                raise EmbeddedError(self.ending())
            self._pid = int(answer)
        return self._pid

    def is_alive(self) -> bool:
        return self._guard.poll() is None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the command to end by itself. Return its exit status. Raises subprocess.TimeoutExpired."""
        return self._guard.wait(timeout)

    def begin_stop(self) -> None:
        """Ask the guard to end the command. Does not wait for the end."""
        if os.getpid() == self._owner:
            with suppress(OSError):  # the guard may have ended before
                self._channel.shutdown(socket.SHUT_WR)

    def stop(self) -> None:
        """End the command and everything that it started. Return when they are gone."""
        if os.getpid() != self._owner:
            return  # a forked copy: the servers are its parent's
        self.begin_stop()
        try:
            self._guard.wait(self.grace + KILL_AFTER)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        if self._guard.returncode < 0:
            self._wait_for_orphan()
        self._channel.close()

    def _wait_for_orphan(self) -> None:
        """Wait for the command after its guard was killed. On Linux it has had its stop signal.

        Kill it if it does not end.
        """
        deadline = time.monotonic() + (self.grace if sys.platform == "linux" else 0.0)
        try:
            while is_alive(self.pid) and time.monotonic() < deadline:
                time.sleep(0.02)
            if is_alive(self.pid):
                os.killpg(self.pid, signal.SIGKILL)
        except (EmbeddedError, ProcessLookupError):
            pass  # it never started, or has just gone

    def last_lines(self, lines: int = 3) -> list[str]:
        """Return the last lines that the command wrote since this start."""
        if self.log is None:
            return []
        with sentences_for(self.log), self.log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(self._log_begins, file.tell() - 4096))
            text = file.read().decode(errors="replace")
        return [line for line in text.splitlines() if line.strip()][-lines:]

    def ending(self) -> str:
        """Return a sentence about how a command ended by itself, with its last lines."""
        status = self._guard.poll() or 0
        number = -status if status < 0 else status - 128
        how = f"killed by signal {number}" if number > 0 else f"status {status}"
        if self.log is None:
            return f"{self.name} ended ({how})."
        last = " / ".join(self.last_lines()) or "it wrote nothing"
        return f"{self.name} ended ({how}): {last}. Its log is {self.log}."


def wait_until(process: Guarded, test: Callable[[], bool], timeout: float) -> None:
    """Poll `test` every 20 ms until it is true. Raises EmbeddedError if the process ends or time runs out."""
    deadline = time.monotonic() + timeout
    while not test():
        if not process.is_alive():
            raise EmbeddedError(process.ending())
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"{process.name} is not ready after {timeout:.0f} s. See {process.log}, then start again."
            )
        time.sleep(0.02)
