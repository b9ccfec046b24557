"""The rows of one import between reading and writing, in a scratch database of SQLite without a name.

However many rows there are, memory stays the same: SQLite keeps some of them in its cache and the rest in a file that
is gone with its process, however that ends. PostgreSQL hears of an import only once every row of it is good.
"""

import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from importing.rows import Manifest, Place

AT_ONCE = 5_000
CACHE_KIB = 16 * 1024

#: `row` numbers the rows of all kinds in the order in which they were read. `text_id` is the published id that follows
#: from a prompt's text, also where the manifest states another one. `stated` has the columns that a line
#: states, as JSON: what it leaves out is not compared with what the study has.
TABLES = {
    "prompt": "row INTEGER PRIMARY KEY, file, line, id, public_id, text, stated, text_id",
    "video": "row INTEGER PRIMARY KEY, file, line, id, prompt, path, derived_from, stated, sha256, public_id",
    "pair": "row INTEGER PRIMARY KEY, file, line, prompt, video_0, video_1, priority, wanted, one, other",
    #: Lines with faults of their own: other lines may have, or need, their ids.
    "faulty": "row INTEGER PRIMARY KEY, file, line, kind, id",
    #: Files by the path that video lines give; `found` is where that leads.
    "file": "row INTEGER PRIMARY KEY, path UNIQUE, found, sha256, size, state",
}
#: Made once all rows are there: an index that grows with its table takes longer.
INDEXES = {
    "prompt_id": "prompt (id)",
    "prompt_text_id": "prompt (text_id)",
    "video_id": "video (id)",
    "video_origin": "video (derived_from) WHERE derived_from IS NOT NULL",
    "faulty_id": "faulty (kind, id)",
}


def _composed(text: str) -> str | None:
    """Return a text with each letter and its accents in one, as most systems store it; None for plain ASCII."""
    return None if text.isascii() else unicodedata.normalize("NFC", text)


class Intake:
    """Use it as `with Intake() as intake`; the rows are gone afterwards."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._waiting: dict[str, list[Sequence[Any]]] = {name: [] for name in ("prompt", "video", "pair", "faulty")}
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
        """A row read; the columns that only later steps fill are left out."""
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
        """All rows are there: lets them be searched."""
        for kind in self._waiting:
            self._flush(kind)
        for name, columns in INDEXES.items():
            self.execute(f"CREATE INDEX {name} ON {columns}")
        self.execute("ANALYZE")

    def execute(self, query: str, *values: Any) -> None:
        self._database.execute(query, values)

    def execute_many(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        self._database.executemany(query, rows)

    def fetch(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows at once: for those that are wrong, or counted."""
        return self._database.execute(query, values).fetchall()

    def stream(self, query: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """One row after the other; the tables must not be changed meanwhile."""
        yield from self._database.execute(query, values)

    def chunks(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        """Rows in chunks, between which the tables may be changed.

        Args:
            query: a SELECT whose first column is `row`, with `{after}` where `row` is compared, in the order of `row`.
        """
        after = -1
        while rows := self.fetch(f"{query.format(after=f'> {after}')} LIMIT {AT_ONCE}"):
            yield rows
            after = rows[-1][0]

    def count(self, table: str, where: str = "true") -> int:
        return int(self.fetch(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])  # noqa: S608 - not from outside

    def place(self, kind: str, row: int) -> Place:
        [(file, line)] = self.fetch(f"SELECT file, line FROM {kind} WHERE row = ?", row)  # noqa: S608 - a table above
        return Place(file, line)

    def refuse(self, kind: str, row: int, column: str, reason: str, found: Manifest) -> None:
        """Takes out a row that is wrong, or needs one that is, and says why."""
        place = self.place(kind, row)
        found.complain(place, column, reason)
        if kind != "pair":
            [(local,)] = self.fetch(f"SELECT id FROM {kind} WHERE row = ?", row)  # noqa: S608 - a table above
            found.refused.setdefault((kind, local), place)
        self.execute(f"DELETE FROM {kind} WHERE row = ?", row)  # noqa: S608 - a table above
