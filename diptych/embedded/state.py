"""The state folder: where it lies, who holds it, its secrets, and where its servers listen."""

import errno
import fcntl
import json
import os
import pwd
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
ROOM_NEEDED = 300 * 1024 * 1024  # bytes: a new cluster is 40 MB, its write-ahead log grows to some hundred
LOG_KEPT = 5 * 1024 * 1024  # bytes: a longer log is set aside as NAME.log.1 at the next start
PATIENCE = 20.0  # seconds that servers whose parent was killed may take to end


class EmbeddedError(Exception):
    """Its text is one sentence for a person: what is wrong, where, and what to do."""


@dataclass(frozen=True)
class Home:
    """The state folder; everything that the demo or a test run keeps lies in it, or is named in it."""

    path: Path

    @classmethod
    def at(cls, path: str | Path) -> "Home":
        """The state folder at this path, which need not exist yet."""
        return cls(Path(path).expanduser().absolute())

    @classmethod
    def from_environment(cls) -> "Home":
        """DIPTYCH_HOME, else `.diptych` in the repository."""
        return cls.at(os.environ.get("DIPTYCH_HOME") or REPOSITORY / ".diptych")

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def servers_file(self) -> Path:
        return self.path / "servers.json"

    @property
    def lock_file(self) -> Path:
        return self.path / "lock"

    @property
    def mark(self) -> Path:
        """Tells a folder of our making from one that held other things before and is not ours to delete."""
        return self.path / "made-by-diptych"

    @property
    def elsewhere_file(self) -> Path:
        """Names the folder that holds the data when the servers' user can't reach this one."""
        return self.path / "data-lies-in"

    def make(self) -> None:
        """Make the folder if it is missing; its parents' permissions are never touched."""
        # Root's servers run as another user, who must pass through this folder but not list it.
        mode = 0o711 if os.geteuid() == 0 else 0o700
        with sentences_for(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=mode, exist_ok=True)
            if not any(self.path.iterdir()):
                self.mark.touch(mode=0o600)
            self.logs.mkdir(mode=0o700, exist_ok=True)

    def close_to_others(self) -> None:
        """Take away what other accounts may do with our files in here, such as those that an earlier version made.

        The servers' own folders are theirs to protect. A folder
        that is closed already is not looked into, since nobody else can reach what lies in it; so a folder is closed
        last, and a start that was killed in the middle is made up for by the next.
        """
        with sentences_for(self.path):
            for entry in os.scandir(self.path):
                if not entry.name.startswith(("postgres", "valkey", "programs-")):
                    _close(entry)

    def log(self, name: str) -> Path:
        """The log file of one program, set aside first when it has grown long."""
        path = self.logs / f"{name}.log"
        with sentences_for(path):
            if path.exists() and path.stat().st_size > LOG_KEPT:
                path.replace(path.with_name(f"{name}.log.1"))
            path.touch(mode=0o600)
        return path

    def secret(self, name: str) -> str:
        """A random secret of 48 hex digits, made on first use and then kept in a file of mode 600."""
        path = self.secret_file(name)
        with sentences_for(path):
            if not path.exists():
                self.make()
                path.parent.mkdir(mode=0o700, exist_ok=True)
                with locked_folder(path.parent):
                    if not path.exists():
                        write_private(path, secrets.token_hex(24) + "\n")
            return path.read_text().strip()

    def secret_file(self, name: str) -> Path:
        return self.path / "secrets" / name

    def recorded(self) -> dict[str, Any]:
        """What the last start wrote: addresses, ports, data folders; empty before the first."""
        with sentences_for(self.servers_file):
            try:
                return json.loads(self.servers_file.read_text())
            except FileNotFoundError:
                return {}
            except ValueError:
                return {}  # only ports are lost, and the next start writes new ones

    def running(self) -> dict[str, Any]:
        """As `recorded`, but empty when no process holds this folder."""
        return self.recorded() if self.is_held() else {}

    def record(self, facts: dict[str, Any]) -> None:
        """Replace what `recorded` answers."""
        with sentences_for(self.servers_file):
            write_private(self.servers_file, json.dumps(facts, indent=2) + "\n")

    def holder(self) -> tuple[int, str] | None:
        """Process id and purpose of the live process that holds the folder."""
        if not self.is_held():
            return None
        with sentences_for(self.lock_file):
            pid, _, purpose = self.lock_file.read_text().strip().partition(" ")
        return (int(pid), purpose) if pid.isdigit() and is_alive(int(pid)) else None

    def is_held(self) -> bool:
        """Whether servers of this folder run, or are still ending."""
        try:
            descriptor = os.open(self.lock_file, os.O_RDONLY)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise EmbeddedError(sentence(error, self.lock_file)) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def hold(self, purpose: str, patience: float = PATIENCE) -> int:
        """Take the folder for this process, and answer the descriptor that holds it.

        Servers inherit the descriptor, so the folder stays held until the last of them has ended, even when
        their parent was killed; then this waits for them, at most `patience` seconds.

        Raises EmbeddedError when a live process holds the folder.
        """
        self.make()
        self.close_to_others()
        with sentences_for(self.lock_file):
            descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._wait_for(descriptor, time.monotonic() + patience)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {purpose}\n".encode(), 0)
        except OSError as error:
            os.close(descriptor)
            raise EmbeddedError(sentence(error, self.lock_file)) from error
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _wait_for(self, descriptor: int, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                pid, _, purpose = os.pread(descriptor, 1000, 0).decode().strip().partition(" ")
                if pid.isdigit() and is_alive(int(pid)):
                    raise EmbeddedError(
                        f"{self.path} is in use by process {pid} ({purpose}). Stop that one first, or set "
                        "DIPTYCH_HOME to another folder to run a second beside it."
                    ) from None
                if time.monotonic() > deadline:
                    raise EmbeddedError(
                        f"Servers of an earlier run still hold {self.path} and do not end. List them with "
                        f"`fuser -v {self.lock_file}`, stop them with `kill`, and start again."
                    ) from None
            time.sleep(0.05)

    def remove(self) -> None:
        """Delete the state, data that lie elsewhere included.

        Raises EmbeddedError while a process holds the folder.
        """
        if not self.path.exists():
            return
        if not self.mark.exists():
            raise EmbeddedError(
                f"{self.path} was not made by Diptych, or held other files before, so it is not deleted. "
                "Delete by hand what you do not need."
            )
        descriptor = self.hold("deleting the state folder")
        try:
            with sentences_for(self.path):
                if self.elsewhere_file.exists():
                    elsewhere = Path(self.elsewhere_file.read_text().strip())
                    if (elsewhere / "belongs-to").exists():
                        shutil.rmtree(elsewhere)
                shutil.rmtree(self.path)
        finally:
            os.close(descriptor)


#: Permission bits of the group and of everybody.
OPEN_TO_OTHERS = 0o077


def _close(entry: "os.DirEntry[str]") -> None:
    """Let only us use a file of ours, or a folder of ours and all that is in it. Links stay as they are."""
    try:
        facts = entry.stat(follow_symlinks=False)
        if stat.S_ISLNK(facts.st_mode) or facts.st_uid != os.geteuid() or not facts.st_mode & OPEN_TO_OTHERS:
            return
        if stat.S_ISDIR(facts.st_mode):
            for inner in os.scandir(entry):
                _close(inner)
        os.chmod(entry, stat.S_IMODE(facts.st_mode) & ~OPEN_TO_OTHERS)
    except FileNotFoundError:  # removed meanwhile
        return


def check_room(folder: Path) -> None:
    """Raise EmbeddedError unless the file system below `folder` has room for the servers to work."""
    with sentences_for(folder):
        free = shutil.disk_usage(folder).free
    if free < ROOM_NEEDED:
        raise EmbeddedError(
            f"The disk that holds {folder} has {free // 2**20} MB left and the servers need "
            f"{ROOM_NEEDED // 2**20} MB. Free some, or set DIPTYCH_HOME to a folder on another disk."
        )


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 600 in one step: a reader sees the old text or the new, never half of it."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Hold a folder against other processes for as long as the block runs."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def sentences_for(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses in the block into an EmbeddedError about `path`."""
    try:
        yield
    except OSError as error:
        raise EmbeddedError(sentence(error, path)) from error


def sentence(error: OSError, path: Path) -> str:
    """What a refusal of the operating system means for a person."""
    place = Path(error.filename) if isinstance(error.filename, str) else path
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"The disk that holds {path} is full. Free {ROOM_NEEDED // 2**20} MB or more and start again."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return (
            f"{place} can't be used by {user_name(os.geteuid())} ({os.strerror(error.errno).lower()}). Run "
            "as the user who owns it, or set DIPTYCH_HOME to a folder that you may write."
        )
    if error.errno in {errno.ENOTDIR, errno.EEXIST}:
        return f"{place} is in the way: a folder is needed there. Move it, or set DIPTYCH_HOME to another one."
    reason = error.strerror or str(error)
    return f"{place} could not be used: {reason}. Put that right, or set DIPTYCH_HOME to another folder."


def user_name(uid: int) -> str:
    """The name behind a user id, or the id when it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
