"""The progress of an import, and the files that it has read."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import jobs.progress

if TYPE_CHECKING:
    from importing.report import ImportReport
    from studies.models import Study


class FileRead(NamedTuple):
    """A file that was read completely: its path within the material, its size and time then, and its hash."""

    path: str
    byte_size: int
    modified_ns: int
    sha256: str


class Progress(jobs.progress.Progress):
    """The progress of an import. If `begin` or `advance` raises, the import ends and nothing is written."""

    def import_number(self, study: "Study") -> int | None:
        """Return the number that marks what the import adds to the study, or None. Called in the rows' transaction."""
        return None

    def written(self, report: "ImportReport") -> None:
        """Record the outcome. It is called last in the transaction of the rows, so both are committed or neither is."""

    def remember(self, file: FileRead) -> None:
        """Store that a file was read, for a later attempt."""

    def recall(self, paths: Iterable[str]) -> dict[str, FileRead]:
        """Return what `remember` stored about these files, by path."""
        return {}


class ShownProgress(Progress):
    """Show the stages with another progress, such as a bar on a terminal, and remember nothing."""

    def __init__(self, shown: jobs.progress.Progress) -> None:
        self.begin, self.advance, self.end = shown.begin, shown.advance, shown.end  # type: ignore[method-assign]
