"""Run commands through the program `confined`. Each thread starts its own program and keeps it until the thread ends.

The kernel ends a program with the thread that started it, and one program runs only one command at a time. Therefore
threads do not share programs.
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
    """Run a command and return its status, as `confined.start` does. Raises OSError if nothing can be started here."""
    launcher: Launcher | None = getattr(_of_this_thread, "launcher", None)
    if launcher is None or not launcher.is_alive():
        launcher = _of_this_thread.launcher = Launcher()
    wanted = {"command": list(command), "said": said, "limits": limits, "time_limit_s": time_limit_s}
    return launcher.run(json.dumps(wanted))


class Launcher:
    """A running `confined` program. It ends with this object, its thread or its process."""

    def __init__(self) -> None:
        self._parent = os.getpid()
        self._socket, theirs = socket.socketpair()
        self._responses = self._socket.makefile(encoding="ascii")
        command = [sys.executable, "-I", "-S", confined.__file__, str(self._parent)]
        with theirs:
            self._process = subprocess.Popen(command, stdin=theirs.fileno(), stdout=theirs.fileno())

    def is_alive(self) -> bool:
        """Return whether the program runs and belongs to this process. After a fork it belongs only to the parent."""
        return self._parent == os.getpid() and self._process.poll() is None

    def run(self, wanted: str) -> int:
        """Run a command, given as JSON, and return its status. If the program was killed, the command was too."""
        response = ""
        try:
            self._socket.sendall(f"{wanted}\n".encode())
            response = self._responses.readline()
        except ConnectionError:
            pass
        finally:
            if not response:  # it has ended, or its response will not be read, such as after KeyboardInterrupt
                self._process.kill()
                self._process.wait()
        return int(response or -signal.SIGKILL)
