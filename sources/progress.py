"""The progress of reading a source, and the files that were read."""

from collections.abc import Iterable
from typing import NamedTuple

import jobs.progress


class FileRead(NamedTuple):
    """A file that was read completely: its path within the material, its size and time then, and its hash."""

    path: str
    byte_size: int
    modified_ns: int
    sha256: str


class Progress(jobs.progress.Progress):
    """The progress of reading a source. If `begin` or `advance` raises, reading ends."""

    def remember(self, file: FileRead) -> None:
        """Store that a file was read, for a later attempt."""

    def recall(self, paths: Iterable[str]) -> dict[str, FileRead]:
        """Return what `remember` stored about these files, by path."""
        return {}
