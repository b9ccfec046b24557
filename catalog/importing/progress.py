"""How an import tells how far it is, and remembers what it has read. This one says and remembers nothing."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from catalog.importing.report import ImportReport


class FileRead(NamedTuple):
    """A file that was read whole: its path within what is imported, what it was like then, and what it held."""

    path: str
    byte_size: int
    modified_ns: int
    sha256: str


class Progress:
    """`begin` a stage of `total` steps, then `advance`; `end` after the last.

    `begin` and `advance` may raise whatever ends the import; nothing is then written.
    """

    def begin(self, stage: str, total: int) -> None: ...

    def advance(self, steps: int = 1) -> None: ...

    def end(self) -> None: ...

    def written(self, report: "ImportReport") -> None:
        """All rows are written; called last in their transaction, so that what is done here stands or falls with it."""

    def remember(self, file: FileRead) -> None: ...

    def recall(self, paths: Iterable[str]) -> dict[str, FileRead]:
        """What was remembered of these files, by path."""
        return {}
