"""The worker's end of `confined`: one such program for each thread that has run something, kept until the thread ends.

For each thread, since the kernel ends a program with the thread that started it, and since no two commands of one
program may run at once.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence

from media import confined

_of_this_thread = threading.local()


def launch(command: Sequence[str], said: list[str], limits: list[tuple[int, int]], time_limit_s: float) -> int:
    """How `command` ended, as `confined.start` has it. Raises OSError if nothing can be started here."""
    launcher: Launcher | None = getattr(_of_this_thread, "launcher", None)
    if launcher is None or not launcher.lives():
        launcher = _of_this_thread.launcher = Launcher()
    wanted = {"command": list(command), "said": said, "limits": limits, "time_limit_s": time_limit_s}
    return launcher.ask(json.dumps(wanted))


class Launcher:
    """A running `confined`, which ends when this object goes, or its thread, or its process."""

    def __init__(self) -> None:
        self._parent = os.getpid()
        self._socket, theirs = socket.socketpair()
        self._answers = self._socket.makefile(encoding="ascii")
        command = [sys.executable, "-I", "-S", confined.__file__, str(self._parent)]
        with theirs:
            self._process = subprocess.Popen(command, stdin=theirs.fileno(), stdout=theirs.fileno())

    def lives(self) -> bool:
        """Whether it is there to be asked. After a fork it is the parent's alone."""
        return self._parent == os.getpid() and self._process.poll() is None

    def ask(self, wanted: str) -> int:
        """Its answer. Was it ended in the middle, then so was the command."""
        answer = ""
        try:
            self._socket.sendall(f"{wanted}\n".encode())
            answer = self._answers.readline()
        except ConnectionError:
            pass
        finally:
            if not answer:  # it is gone, or nobody will read what it says, such as after KeyboardInterrupt
                self._process.kill()
                self._process.wait()
        return int(answer or -signal.SIGKILL)
