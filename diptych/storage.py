"""Files on this machine, each whole under its name or not there at all."""

import os
import secrets
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import FileSystemStorage
from django.utils._os import safe_makedirs


class AtomicFileSystemStorage(FileSystemStorage):
    """Keeps a file under exactly the name that was asked for; what lay there is replaced in one step.

    Django's own storage either picks another name, or empties the file that lies there and writes into it while
    somebody reads. Here the new bytes are written beside, forced to the disk, and renamed. Who has the old file open
    reads the old file to its end. An error leaves the old file as it was, and nothing beside it; only a kill in the
    middle leaves a file whose name begins with a dot and ends in `.part`.
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
        """Renames a file in one step, replacing what lies under `target`. Raises FileNotFoundError."""
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
    """Those in which writing into `folder` makes an entry: itself, and the parents of those that are missing."""
    changed = [folder]
    while not folder.exists():
        folder = folder.parent
        changed.append(folder)
    return changed


def _force_to_disk(path: Path) -> None:
    """Returns when a power cut cannot undo what was written to the file, or into the folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
