"""How an import says how far it is, and remembers what it has read."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import jobs.progress

if TYPE_CHECKING:
    from importing.report import ImportReport
    from studies.models import Study


class FileRead(NamedTuple):
    """A file that was read whole: its path within what is imported, what it was like then, and what it held."""

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
        """All rows are written; called last in their transaction, so that what is done here stands or falls with it."""

    def remember(self, file: FileRead) -> None: ...

    def recall(self, paths: Iterable[str]) -> dict[str, FileRead]:
        """What was remembered of these files, by path."""
        return {}


class ShownProgress(Progress):
    """Show the stages with another progress, such as a bar on a terminal, and remember nothing."""

    def __init__(self, shown: jobs.progress.Progress) -> None:
        self.begin, self.advance, self.end = shown.begin, shown.advance, shown.end  # type: ignore[method-assign]
