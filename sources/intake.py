"""Hold the rows of one import between reading and writing, in a temporary SQLite database.

Memory use does not grow with the number of rows: SQLite has some of them in its cache and the rest in a file that is
removed when the process ends. Rows go to PostgreSQL only after all of them were checked.
"""

import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sources.rows import Manifest, Place

AT_ONCE = 5_000
CACHE_KIB = 16 * 1024

#: `row` numbers the rows of all kinds in the order of reading. `text_id` is the published id that follows from a
#: prompt's text, even if the manifest states another id. `stated` has the columns that a line states, as JSON: columns
#: that it leaves out are not compared with the study.
TABLES = {
    "prompt": "row INTEGER PRIMARY KEY, file, line, id, public_id, text, stated, text_id",
    "video": "row INTEGER PRIMARY KEY, file, line, id, prompt, path, derived_from, stated, sha256, public_id",
    "pair": "row INTEGER PRIMARY KEY, file, line, prompt, video_0, video_1, priority, wanted, one, other",
    #: What a label is about: `one` is the id of a prompt or a video, or `one` and `other` of the videos of a pair. The
    #: published ids are filled in for material of the study that the manifest does not have.
    "label": "row INTEGER PRIMARY KEY, file, line, subject, one, other, question, labeller, labeller_version, setting, "
    "value, one_id, other_id",
    #: Lines with faults of their own. Other lines can have the same ids, or need them.
    "faulty": "row INTEGER PRIMARY KEY, file, line, kind, id",
    #: Files by the path that video lines give. `found` is the resolved path.
    "file": "row INTEGER PRIMARY KEY, path UNIQUE, found, sha256, size, state",
}
#: Created after all rows were added, which is quicker.
INDEXES = {
    "prompt_id": "prompt (id)",
    "prompt_text_id": "prompt (text_id)",
    "video_id": "video (id)",
    "video_origin": "video (derived_from) WHERE derived_from IS NOT NULL",
    "faulty_id": "faulty (kind, id)",
    "label_key": "label (subject, one, other, question, labeller, labeller_version, setting)",
}


def _composed(text: str) -> str | None:
    """Return a text in Unicode NFC, or None for plain ASCII."""
    return None if text.isascii() else unicodedata.normalize("NFC", text)


class Intake:
    """The rows of one import. Use it as `with Intake() as intake`. The rows are deleted afterwards."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._waiting: dict[str, list[Sequence[Any]]] = {
            name: [] for name in ("prompt", "video", "pair", "label", "faulty")
        }
        self._database.create_function("composed", 1, _composed, deterministic=True)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        for name, columns in TABLES.items():
            self._database.execute(f"CREATE TABLE {name} ({columns})")
        self._database.execute("BEGIN")

    def __enter__(self) -> "Intake":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, kind: str, *values: Any) -> None:
        """Add a row. Leave out the columns that later steps fill."""
        waiting = self._waiting[kind]
        waiting.append(values)
        if len(waiting) >= AT_ONCE:
            self._flush(kind)

    def _flush(self, kind: str) -> None:
        if rows := self._waiting[kind]:
            names = [column.split()[0] for column in TABLES[kind].split(", ")][: len(rows[0])]
            marks = ", ".join("?" * len(names))
            self.execute_many(f"INSERT INTO {kind} ({', '.join(names)}) VALUES ({marks})", rows)  # noqa: S608 - names from above
            self._waiting[kind] = []

    def complete(self) -> None:
        """Write the last rows and create the indexes. Call it after all rows were added."""
        for kind in self._waiting:
            self._flush(kind)
        for name, columns in INDEXES.items():
            self.execute(f"CREATE INDEX {name} ON {columns}")
        self.execute("ANALYZE")

    def execute(self, query: str, *values: Any) -> None:
        """Run one statement."""
        self._database.execute(query, values)

    def execute_many(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of values."""
        self._database.executemany(query, rows)

    def fetch(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return all rows of a query. Use it only for few rows."""
        return self._database.execute(query, values).fetchall()

    def stream(self, query: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query. The tables must not be changed meanwhile."""
        yield from self._database.execute(query, values)

    def chunks(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        """Yield rows in chunks. The tables can be changed between two chunks.

        Args:
            query: a SELECT in the order of `row`, with `row` as its first column and `{after}` where `row` is compared.
        """
        after = -1
        while rows := self.fetch(f"{query.format(after=f'> {after}')} LIMIT {AT_ONCE}"):
            yield rows
            after = rows[-1][0]

    def count(self, table: str, where: str = "true") -> int:
        """Return the number of rows of a table."""
        return int(self.fetch(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])  # noqa: S608 - not from outside

    def place(self, kind: str, row: int) -> Place:
        """Return where a row was written."""
        [(file, line)] = self.fetch(f"SELECT file, line FROM {kind} WHERE row = ?", row)  # noqa: S608 - a table above
        return Place(file, line)

    def refuse(self, kind: str, row: int, column: str, reason: str, found: Manifest) -> None:
        """Remove a row, and report it as a bad row with its reason."""
        place = self.place(kind, row)
        found.complain(place, column, reason)
        if kind not in ("pair", "label"):
            [(local,)] = self.fetch(f"SELECT id FROM {kind} WHERE row = ?", row)  # noqa: S608 - a table above
            found.refused.setdefault((kind, local), place)
        self.execute(f"DELETE FROM {kind} WHERE row = ?", row)  # noqa: S608 - a table above
