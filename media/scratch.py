"""A folder for one file's preparation that goes away whatever happens, even after kill -9 or a power cut."""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "diptych-media-"
LOCK = "lock"


@contextmanager
def scratch() -> Iterator[Path]:
    """A new folder that is ours alone; those that a killed worker left are removed first.

    The lock on a file in the folder says that somebody works in it. The kernel gives it up with its process.
    """
    sweep()
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep() -> None:
    """Removes the folders in which nobody works any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            facts = folder.lstat()
        except FileNotFoundError:  # somebody else was quicker
            continue
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
            continue
        with suppress(OSError):  # somebody else is quicker, or works in it
            folder.rmdir()  # left before it had its lock
            continue
        with suppress(OSError):
            lock = os.open(folder / LOCK, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _locked_folder() -> tuple[Path, int]:
    """A new folder and its lock. A sweep may take a folder away between its making and its locking: another, then."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        with suppress(FileNotFoundError):
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock).st_nlink:
                return folder, lock
            os.close(lock)
