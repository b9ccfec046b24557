"""Where the files of a release are written: in the storage, or in a folder of this machine."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction

from diptych.downloads import BUFFER_BYTES, CopyFile
from jobs import engine
from jobs.policy import Policy
from jobs.progress import Progress
from media.stored_files import trouble_of_storage
from releases.formats import Write
from releases.models import Release, ReleaseFile


class StoredFolder:
    """The storage. A file is first written aside, and its row is written when the storage has all of it.

    A file that has a row is not written again, so a worker that takes the job over continues with the next file.
    """

    def __init__(self, policy: Policy[Release], release: Release, kind: str, progress: Progress, steps: int) -> None:
        self.policy, self.release, self.kind, self.progress, self.steps = policy, release, kind, progress, steps

    def add(self, path: str, write: Write, *, steps: int | None = None) -> None:
        """Write one file. Raise Cancelled, TakenOver, DatabaseError and OSError."""
        if ReleaseFile.objects.filter(release=self.release, path=path).exists():
            return
        self.progress.begin(path, self.steps if steps is None else steps)
        row = ReleaseFile(study_id=self.release.study_id, release=self.release, path=path, kind=self.kind)
        with tempfile.TemporaryFile(buffering=BUFFER_BYTES) as file:
            made = CopyFile(file)
            row.counts = dict(write(made) or {})
            file.flush()
            file.seek(0)
            with trouble_of_storage():
                default_storage.save(row.stored_name, File(file))
        row.sha256, row.byte_size = made.sha256, made.size
        with transaction.atomic():
            engine.locked(self.policy, self.release.pk, self.release.fence)
            row.save(force_insert=True)

    def written(self) -> list[ReleaseFile]:
        """Return the complete files of the release, by path."""
        return list(ReleaseFile.objects.filter(release=self.release).order_by("path"))

    @contextmanager
    def open(self, path: str) -> Iterator[IO[Any]]:
        """Open a complete file. Raise OSError."""
        row = ReleaseFile(release=self.release, path=path)
        with trouble_of_storage():
            file = default_storage.open(row.stored_name)
        with file:
            yield file


class LocalFolder:
    """A folder of this machine. `files` gets a row for each file that is written, none of which is saved."""

    def __init__(self, root: Path, release: Release, kind: str = "", files: list[ReleaseFile] | None = None) -> None:
        self.root, self.release, self.kind = root, release, kind
        self.files = [] if files is None else files

    def add(self, path: str, write: Write, *, steps: int | None = None) -> None:
        """Write one file. Raise DatabaseError and OSError."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.part")
        with aside.open("wb", buffering=BUFFER_BYTES) as file:
            made = CopyFile(file)
            counts = dict(write(made) or {})
        aside.replace(target)
        row = ReleaseFile(release=self.release, path=path, kind=self.kind, counts=counts)
        row.sha256, row.byte_size = made.sha256, made.size
        self.files.append(row)

    def written(self) -> list[ReleaseFile]:
        """Return the files that were written, by path."""
        return sorted(self.files, key=lambda row: row.path)

    def open(self, path: str) -> IO[bytes]:
        """Open a file. Raise OSError."""
        return (self.root / path).open("rb")


def copy_stored(files: Iterable[ReleaseFile], root: Path) -> None:
    """Copy stored files into a folder of this machine. Raise OSError, also for other bytes than recorded."""
    for row in files:
        folder = LocalFolder(root, row.release)
        with trouble_of_storage(), default_storage.open(row.stored_name) as stored:
            folder.add(row.path, lambda target, stored=stored: _copy(stored, target))  # type: ignore[misc]
        if folder.files[0].sha256 != row.sha256:
            raise OSError(f"The storage has other bytes of {row.path} than the release recorded.")


def _copy(source: File, target: CopyFile) -> None:
    for block in source.chunks(BUFFER_BYTES):
        target.write(block)
