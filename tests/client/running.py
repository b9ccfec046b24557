"""Run the command `diptych` as people do, with a folder for its settings, on lines that can be slow and break."""

import io
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

from diptych_client import commands
from tests.production import BIN, environment

PROGRAM = BIN / "diptych"


class Diptych:
    """The command, in a folder where it also keeps its settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables = environment(
            DIPTYCH_CONFIG_DIR=str(folder / "settings"), HF_HUB_DISABLE_XET="1", HF_HOME=str(folder / "hf")
        )

    def run(self, *words: str, said: str = "", **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run the command with these words and variables, and `said` on its standard input.

        It runs in this process, as starting one takes far longer than most commands. An error that it does not expect
        fails the test.
        """
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, self.variables | variables, clear=True),
            chdir(self.folder),
            redirect_stdout(out),
            redirect_stderr(err),
            patch.object(sys, "stdin", io.StringIO(said)),
        ):
            status = commands.run(list(words))
        return subprocess.CompletedProcess(list(words), status, out.getvalue(), err.getvalue())

    def done(self, *words: str, **values: Any) -> str:
        """Run the command, which must succeed. Return what it printed."""
        ran = self.run(*words, **values)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def refused(self, *words: str, **values: Any) -> tuple[int, str]:
        """Run the command, which must fail. Return its exit status and its sentence."""
        ran = self.run(*words, **values)
        assert ran.returncode != 0, ran.stdout
        return ran.returncode, ran.stderr.strip().splitlines()[-1]

    def sign_in(self, server: str, token: str) -> None:
        self.done("sign-in", server, said=f"{token}\n")

    def shell(self, line: str, *, said: str = "") -> str:
        """Run a line of the documentation in a shell. Return what it printed."""
        variables = self.variables | {"PATH": f"{BIN}:{self.variables['PATH']}"}
        ran = subprocess.run(
            ["sh", "-e", "-c", line],
            cwd=self.folder,
            env=variables,
            input=said,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == 0, f"{line}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def python(self, program: str) -> str:
        """Run a program with the settings of the command. Return what it printed."""
        return self.shell(f"{shlex.quote(sys.executable)} -", said=program)

    def begin(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start the command in a process of its own, and do not wait for it."""
        return subprocess.Popen(
            [PROGRAM, *words],
            cwd=self.folder,
            env=self.variables | {name: os.environ[name] for name in ("TMPDIR",) if name in os.environ},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


class Line:
    """A slow line to a server that can break: it relays bytes, and breaks each connection after so many.

    `breaks_after` is the number of bytes of responses on one connection; None: it never breaks.
    """

    def __init__(self, server: str, *, bytes_per_s: float = 0, breaks_after: int | None = None) -> None:
        host, _, port = server.removeprefix("http://").partition(":")
        self.to = host, int(port)
        self.bytes_per_s, self.breaks_after = bytes_per_s, breaks_after
        self.connections = 0
        #: What was sent to the server.
        self.requests = b""
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def run(self) -> None:
        while True:
            try:
                near, _ = self.listening.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.create_connection(self.to)
            threading.Thread(target=self.relay, args=(near, far, 0), daemon=True).start()
            threading.Thread(target=self.relay, args=(far, near, 1), daemon=True).start()

    def relay(self, source: socket.socket, target: socket.socket, is_response: int) -> None:
        count = 0
        try:
            while block := source.recv(16_384):
                if is_response:
                    if self.breaks_after is not None and count + len(block) > self.breaks_after:
                        target.sendall(block[: max(0, self.breaks_after - count)])
                        break
                    count += len(block)
                    if self.bytes_per_s:
                        time.sleep(len(block) / self.bytes_per_s)
                else:
                    self.requests += block
                target.sendall(block)
        except OSError:
            pass
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def line(server: str, **how: Any) -> Iterator[Line]:
    """Yield a line to a server, which ends with the block."""
    made = Line(server, **how)
    accepting = threading.Thread(target=made.run, daemon=True)
    accepting.start()
    try:
        yield made
    finally:
        made.listening.shutdown(socket.SHUT_RDWR)
        made.listening.close()
        accepting.join()
