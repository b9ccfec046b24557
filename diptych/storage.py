"""Files on this machine. Each is complete under its name, or not there at all."""

import os
import secrets
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import FileSystemStorage
from django.utils._os import safe_makedirs


class AtomicFileSystemStorage(FileSystemStorage):
    """Storage that keeps a file under exactly the requested name. It replaces an existing file in one step.

    Django's own storage either picks another name, or empties the existing file and writes into it while somebody
    reads. Here the new bytes are written to another file, flushed to the disk, and renamed. A reader of the old file
    reads it to its end. An error leaves the old file as it was, and no other file. Only a kill in the middle leaves a
    file whose name begins with a dot and ends in `.part`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_overwrite=True, **options)

    def _save(self, name: str, content: File) -> str:
        target = Path(self.path(name))
        changed = _folders_to_force(target.parent)
        aside = f"{os.path.dirname(name)}/.{secrets.token_hex(8)}.part".lstrip("/")
        try:
            written = Path(self.path(super()._save(aside, content)))  # type: ignore[misc]
            _force_to_disk(written)
            os.replace(written, target)
        except BaseException:
            self.delete(aside)
            raise
        for folder in changed:
            _force_to_disk(folder)
        return target.relative_to(self.location).as_posix()

    def move(self, name: str, target: str) -> None:
        """Rename a file in one step. Replaces an existing `target`. Raises FileNotFoundError."""
        source, destination = Path(self.path(name)), Path(self.path(target))
        if not source.exists():
            raise FileNotFoundError(name)
        changed = _folders_to_force(destination.parent)
        if self.directory_permissions_mode is None:
            destination.parent.mkdir(parents=True, exist_ok=True)
        else:
            safe_makedirs(destination.parent, self.directory_permissions_mode, exist_ok=True)
        os.replace(source, destination)
        for folder in (*changed, source.parent):
            _force_to_disk(folder)


def _folders_to_force(folder: Path) -> list[Path]:
    """Return the folders that get a new entry when `folder` is written to: itself, and the parents of missing ones."""
    changed = [folder]
    while not folder.exists():
        folder = folder.parent
        changed.append(folder)
    return changed


def _force_to_disk(path: Path) -> None:
    """Flush the file or folder. Return when a power cut cannot undo what was written."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
