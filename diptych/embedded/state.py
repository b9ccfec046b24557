"""The state folder: where it lies, which process holds it, its secrets, and where its servers listen."""

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
PATIENCE = 20.0  # seconds that servers may take to end after their parent was killed


class EmbeddedError(Exception):
    """An error whose text is a sentence for a person: what is wrong, where, and what to do."""


@dataclass(frozen=True)
class Home:
    """The state folder. Everything that the demo or a test run stores lies in it, or is named in it."""

    path: Path

    @classmethod
    def at(cls, path: str | Path) -> "Home":
        """Return the state folder at this path, which need not exist yet."""
        return cls(Path(path).expanduser().absolute())

    @classmethod
    def from_environment(cls) -> "Home":
        """Return the state folder at DIPTYCH_HOME, or at `.diptych` in the repository."""
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
        """Return the file that marks a folder that we made. A folder without it is not ours to delete."""
        return self.path / "made-by-diptych"

    @property
    def elsewhere_file(self) -> Path:
        """Return the file that names the folder with the data, if the servers' user cannot reach this one."""
        return self.path / "data-lies-in"

    def make(self) -> None:
        """Make the folder if it is missing. The permissions of its parents are never changed."""
        # Root's servers run as another user, who must be able to enter this folder but not to list it.
        mode = 0o711 if os.geteuid() == 0 else 0o700
        with sentences_for(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=mode, exist_ok=True)
            if not any(self.path.iterdir()):
                self.mark.touch(mode=0o600)
            self.logs.mkdir(mode=0o700, exist_ok=True)

    def close_to_others(self) -> None:
        """Take other accounts' permissions away from our files in here, such as those that an earlier version made.

        The servers protect their own folders. A folder that is already closed is not searched, since nobody else can
        reach what lies in it. Each folder is therefore closed last: if this is killed in the middle, the next start
        completes it.
        """
        with sentences_for(self.path):
            for entry in os.scandir(self.path):
                if not entry.name.startswith(("postgres", "valkey", "programs-")):
                    _close(entry)

    def log(self, name: str) -> Path:
        """Return the log file of one program. A long log is renamed first."""
        path = self.logs / f"{name}.log"
        with sentences_for(path):
            if path.exists() and path.stat().st_size > LOG_KEPT:
                path.replace(path.with_name(f"{name}.log.1"))
            path.touch(mode=0o600)
        return path

    def secret(self, name: str) -> str:
        """Return a random secret of 48 hexadecimal digits. It is made on first use and kept in a file of mode 600."""
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
        """Return what the last start wrote: addresses, ports, data folders.

        The result is empty before the first start.
        """
        with sentences_for(self.servers_file):
            try:
                return json.loads(self.servers_file.read_text())
            except FileNotFoundError:
                return {}
            except ValueError:
                return {}  # only the ports are lost, and the next start writes new ones

    def running(self) -> dict[str, Any]:
        """Return the same as `recorded`, or nothing if no process holds this folder."""
        return self.recorded() if self.is_held() else {}

    def record(self, facts: dict[str, Any]) -> None:
        """Replace what `recorded` returns."""
        with sentences_for(self.servers_file):
            write_private(self.servers_file, json.dumps(facts, indent=2) + "\n")

    def holder(self) -> tuple[int, str] | None:
        """Return the process id and the purpose of the live process that holds the folder, or None."""
        if not self.is_held():
            return None
        with sentences_for(self.lock_file):
            pid, _, purpose = self.lock_file.read_text().strip().partition(" ")
        return (int(pid), purpose) if pid.isdigit() and is_alive(int(pid)) else None

    def is_held(self) -> bool:
        """Return whether servers of this folder run, or are still ending."""
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
        """Hold the folder for this process. Return the descriptor that holds it.

        Servers inherit the descriptor, so the folder stays held until the last of them has ended, even if their parent
        was killed. In that case this waits for them, for at most `patience` seconds.

        Raises EmbeddedError if a live process holds the folder.
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
        """Delete the state folder, and the data that lie elsewhere.

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


#: Permission bits of the group and of everybody else.
OPEN_TO_OTHERS = 0o077


def _close(entry: "os.DirEntry[str]") -> None:
    """Take others' permissions from one of our files, or from a folder and all that is in it. Links are not changed."""
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
    """Raise EmbeddedError unless the file system below `folder` has enough space for the servers."""
    with sentences_for(folder):
        free = shutil.disk_usage(folder).free
    if free < ROOM_NEEDED:
        raise EmbeddedError(
            f"The disk that holds {folder} has {free // 2**20} MB left, and the servers need "
            f"{ROOM_NEEDED // 2**20} MB. Free some space, or set DIPTYCH_HOME to a folder on another disk."
        )


def is_alive(pid: int) -> bool:
    """Return whether a process with this id exists, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 600 in one step: a reader sees either the old text or the new one."""
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
    """Hold a folder against other processes while the block runs."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def sentences_for(path: Path) -> Iterator[None]:
    """Turn errors of the operating system in the block into an EmbeddedError about `path`."""
    try:
        yield
    except OSError as error:
        raise EmbeddedError(sentence(error, path)) from error


def sentence(error: OSError, path: Path) -> str:
    """Return what an error of the operating system means for a person."""
    place = Path(error.filename) if isinstance(error.filename, str) else path
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"The disk that holds {path} is full. Free {ROOM_NEEDED // 2**20} MB or more and start again."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return (
            f"{place} can't be used by {user_name(os.geteuid())} ({os.strerror(error.errno).lower()}). Run "
            "as the user who owns it, or set DIPTYCH_HOME to a folder that you may write."
        )
    if error.errno in {errno.ENOTDIR, errno.EEXIST}:
        return f"{place} is a file where a folder is needed. Move it, or set DIPTYCH_HOME to another folder."
    reason = error.strerror or str(error)
    return f"{place} could not be used: {reason}. Put that right, or set DIPTYCH_HOME to another folder."


def user_name(uid: int) -> str:
    """Return the name of a user id, or the id if it has no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
