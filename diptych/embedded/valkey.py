"""Valkey: the broker, whose data are kept in an append-only file."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diptych.embedded.place import Place
from diptych.embedded.postgres import ENVIRONMENT
from diptych.embedded.process import Guarded, wait_until
from diptych.embedded.state import Home, sentences_for, write_private

LOADING_LIMIT = 120.0  # seconds to read the append-only file back
# Written to the file immediately and to the disk each second. So kill -9 loses nothing, and a power cut one second.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
logfile ""
"""


@dataclass
class Valkey:
    """The Valkey of one state folder."""

    home: Home
    place: Place
    keep: Sequence[int]
    name: str = "Valkey"
    port_key: str = "valkey_port"
    address_key: str = "redis_url"

    @property
    def data(self) -> Path:
        return self.place.folder / "valkey"

    def address(self, port: int) -> str:
        return f"redis://:{self.password()}@127.0.0.1:{port}/0"

    def password(self) -> str:
        return self.home.secret("valkey_password")

    def facts(self) -> dict[str, str]:
        return {"valkey_data": str(self.data)}

    def prepare(self) -> None:
        self.place.make("valkey")

    def launch(self, port: int) -> Guarded:
        """Start the server. Return before it is ready."""
        configuration = self.data / "valkey.conf"  # a file, since other users can read a command line
        text = CONFIGURATION.format(port=port, password=self.password(), folder=quoted(self.data))
        with sentences_for(configuration):
            write_private(configuration, text)
            self.place.chown(configuration)
        return Guarded(
            self.name,
            [str(self.place.valkey_server), str(configuration)],
            log=self.home.log("valkey"),
            environment=ENVIRONMENT,
            cwd=self.data,
            user=self.place.user,
            keep=self.keep,
        )

    def wait_until_ready(self, server: Guarded, port: int) -> None:
        """Return when the server accepts commands. Raises EmbeddedError if it ends instead."""
        wait_until(server, lambda: responds(port, self.password()), LOADING_LIMIT)

    def explain(self, server: Guarded) -> str:
        """Return a sentence about why the server ended."""
        if "No space left on device" in "\n".join(server.last_lines(20)):
            return f"The disk that holds {self.place.folder} is full. Free some space, then start again."
        return server.ending()


def responds(port: int, password: str) -> bool:
    """Return whether a server with our password has loaded its file and accepts commands."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\nQUIT\r\n".encode())
            answer = b""
            while part := connection.recv(1000):
                answer += part
    except OSError:
        return False
    return answer.startswith(b"+OK\r\n+PONG")


def quoted(path: Path) -> str:
    """Return a path as Valkey's configuration file needs it."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
