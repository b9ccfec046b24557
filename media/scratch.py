"""Temporary folders for the preparation of one file. They are removed even after kill -9 or a power cut."""

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
    """Create a folder for this worker, and remove it at the end. Folders that killed workers left are removed first.

    A lock on a file in the folder shows that a process uses it. The kernel releases the lock when the process ends.
    """
    sweep()
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep() -> None:
    """Remove the folders that no process uses."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            facts = folder.lstat()
        except FileNotFoundError:  # another process removed it first
            continue
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
            continue
        with suppress(OSError):  # another process removed it first, or uses it
            folder.rmdir()  # a worker was killed before it created the lock
            continue
        with suppress(OSError):
            lock = os.open(folder / LOCK, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _locked_folder() -> tuple[Path, int]:
    """Create a folder and lock it. Return both. If a sweep removes the folder before it is locked, create another."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        with suppress(FileNotFoundError):
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock).st_nlink:
                return folder, lock
            os.close(lock)
