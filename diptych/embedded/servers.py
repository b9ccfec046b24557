"""Start and stop the servers of a state folder."""

import atexit
import os
import random
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from diptych.embedded import place
from diptych.embedded.postgres import Postgres
from diptych.embedded.process import Guarded
from diptych.embedded.state import EmbeddedError, Home, check_room
from diptych.embedded.valkey import Valkey

PORTS = range(20000, 32000)  # below the ports that the kernel uses for outgoing connections
PORT_ATTEMPTS = 5


@dataclass
class Running:
    """A server, the port that it listens on, and its process."""

    server: Postgres | Valkey
    port: int
    process: Guarded


class Servers:
    """The servers of a state folder while they run. `start` starts them, `stop` ends them."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.database_url = os.environ.get("DATABASE_URL", "")
        self.redis_url = os.environ.get("REDIS_URL", "")
        self._running: list[Running] = []
        self._lock: int | None = None
        self._owner = os.getpid()

    def environment(self) -> dict[str, str]:
        """Return the environment variables that a program needs to use these servers."""
        return {
            "DIPTYCH_HOME": str(self.home.path),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
        }

    def alive(self) -> bool:
        """Return whether every server that was started here still runs."""
        return all(running.process.is_alive() for running in self._running)

    def endings(self) -> list[str]:
        """Return one sentence for each server that has ended by itself, with the last lines of its log."""
        return [one.server.explain(one.process) for one in self._running if not one.process.is_alive()]

    def restart_ended(self) -> None:
        """Restart each server that has ended by itself, on its old port."""
        for running in self._running:
            if not running.process.is_alive():
                running.process.stop()
                running.process = running.server.launch(running.port)
                wait_or_explain(running)

    def stop(self) -> None:
        """End the servers, and return when they are gone. It is safe to call this twice, and in a forked copy."""
        if os.getpid() != self._owner:
            return
        atexit.unregister(self.stop)
        for running in self._running:
            running.process.begin_stop()
        for running in self._running:
            running.process.stop()
        self._running = []
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> "Servers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def keep(self) -> tuple[int, ...]:
        """Return the descriptor that holds the state folder, for other processes that must end before it is free."""
        return () if self._lock is None else (self._lock,)

    def _start(self, purpose: str, postgres_settings: Mapping[str, str]) -> None:
        if self.database_url and self.redis_url:
            return
        self._lock = self.home.hold(purpose)
        check_room(self.home.path)
        found = place.find(self.home)
        check_room(found.folder)
        wanted: list[Postgres | Valkey] = []
        if not self.database_url:
            wanted.append(Postgres(self.home, found, self.keep, postgres_settings))
        if not self.redis_url:
            wanted.append(Valkey(self.home, found, self.keep))
        recorded = self.home.recorded()
        for server in wanted:
            server.prepare()
            port = choose_port(recorded.get(server.port_key))
            self._running.append(Running(server, port, server.launch(port)))
        for running in self._running:
            wait_or_move(running)
        self._record()

    def _record(self) -> None:
        facts: dict[str, object] = {"pid": os.getpid()}
        for running in self._running:
            server = running.server
            address = server.address(running.port)
            setattr(self, server.address_key, address)
            facts |= {server.address_key: address, server.port_key: running.port} | server.facts()
        # Ports of servers that this start did not need are remembered.
        kept = {key: value for key, value in self.home.recorded().items() if key.endswith("_port")}
        given = {"database_url": self.database_url, "redis_url": self.redis_url}
        self.home.record(kept | given | facts)


def start(
    home: Home | str | Path | None = None,
    *,
    postgres_settings: Mapping[str, str] | None = None,
    purpose: str | None = None,
) -> Servers:
    """Start the servers of a state folder, and return when both are ready.

    They end with `stop()`, at the end of a `with` block, at exit, or when this process is gone for whatever
    reason. If DATABASE_URL or REDIS_URL names a server, that server is used and none is started.

    Args:
        home: the state folder. None: DIPTYCH_HOME or the repository's `.diptych`.
        postgres_settings: settings that are added to ours, or override them (for benchmarks).
        purpose: the name of this process in messages to others that find the folder in use.

    Raises:
        EmbeddedError: one sentence for a person. Nothing is left running.
    """
    if not isinstance(home, Home):
        home = Home.from_environment() if home is None else Home.at(home)
    servers = Servers(home)
    try:
        servers._start(purpose or Path(sys.argv[0]).name or "Python", postgres_settings or {})
    except BaseException:
        servers.stop()
        raise
    atexit.register(servers.stop)
    return servers


def wait_or_move(running: Running) -> None:
    """Wait until the server is ready. Move it to another port if another program has taken its own."""
    for _ in range(PORT_ATTEMPTS):
        try:
            wait_or_explain(running)
            return
        except EmbeddedError:
            port_taken = "Address already in use" in "\n".join(running.process.last_lines(20))
            if running.process.is_alive() or not port_taken:
                raise
            running.process.stop()
            running.port = choose_port(None)
            running.process = running.server.launch(running.port)
    raise EmbeddedError(f"{running.server.name} found no free port in {PORT_ATTEMPTS} attempts. Start again.")


def wait_or_explain(running: Running) -> None:
    """Wait until the server is ready. Raises EmbeddedError with the last lines of its log if it ends instead."""
    try:
        running.server.wait_until_ready(running.process, running.port)
    except EmbeddedError as error:
        if running.process.is_alive():
            raise
        raise EmbeddedError(running.server.explain(running.process)) from error


def choose_port(before: int | None) -> int:
    """Return the port of the last start if it is still free, so that addresses stay. Otherwise return a free one."""
    for port in (before, *random.sample(PORTS, 50)):
        if port is not None and is_free(port):
            return port
    raise EmbeddedError(
        f"No port of 127.0.0.1 from {PORTS[0]} to {PORTS[-1]} is free. Stop other servers, then start again."
    )


def is_free(port: int) -> bool:
    """Return whether a server could listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: only listeners block the port
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
