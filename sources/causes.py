"""Find faults that many bad rows share, so that a report says each of them once.

For example, a folder that was cloned without Git LFS has thousands of pointers, which all need the same `git lfs pull`.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sources.rows import BadRow
from sources.sentences import Sentence

#: A fault of at least this many rows is said once.
MANY = 10
#: The most such faults of a report, the most frequent ones. Rows with other faults are said one by one.
MOST_CAUSES = 50
#: The most rows that a cause names. The file of bad rows has all of them.
MOST_NAMED = 50
#: Values of a reason that say which row it is about. Rows whose reasons differ only in these share a fault.
OF_ONE_ROW = frozenset(
    {"path", "id", "place", "first", "number", "length", "one", "other", "prompt", "near", "value", "bytes"}
)


class Cause(NamedTuple):
    """A fault that many bad rows share.

    Attributes:
        number: the number of the cause in its report, from 1 on. Its rows have it.
        total: how many rows have the fault.
        file, line, field, reason: what the first row says.
        rows: the paths of the first rows, or their files and lines.
    """

    number: int
    total: int
    file: str
    line: int | None
    field: str
    reason: str
    rows: list[str]


def causes_of(bad: Iterable[BadRow]) -> list[Cause]:
    """Return the faults that many of the rows share, in the order of their first rows."""
    return list(_found(bad).values())


def numbered(bad: list[BadRow]) -> Iterator[tuple[BadRow, int]]:
    """Yield each row with the number of its cause, or 0 if it has none."""
    found = {key: cause.number for key, cause in _found(bad).items()}
    for row in bad:
        yield row, found.get(_key(row), 0)


def summary(cause: Cause) -> str:
    """Return the fault and how many rows have it, in one English line."""
    first = BadRow(cause.file, cause.line, cause.field, cause.reason)
    return f"{cause.total} rows have the same fault. The first: {first}."


def _found(bad: Iterable[BadRow]) -> dict[Any, Cause]:
    counts: dict[Any, int] = {}
    firsts: dict[Any, list[BadRow]] = {}
    for row in bad:
        key = _key(row)
        counts[key] = counts.get(key, 0) + 1
        if len(named := firsts.setdefault(key, [])) < MOST_NAMED:
            named.append(row)
    many = sorted((key for key, count in counts.items() if count >= MANY), key=lambda key: -counts[key])
    kept = set(many[:MOST_CAUSES])
    return {
        key: Cause(number, counts[key], *firsts[key][0], rows=[*map(_name, firsts[key])])
        for number, key in enumerate((key for key in counts if key in kept), 1)
    }


def _key(row: BadRow) -> Any:
    """Return what the rows with the same fault have in common."""
    return row.field, _fault(row.reason)


def _fault(reason: Any) -> Any:
    if not isinstance(reason, Sentence):
        return str(reason)
    values = sorted((name, _fault(value)) for name, value in reason.values.items() if name not in OF_ONE_ROW)
    return reason.template, tuple(values)


def _name(row: BadRow) -> str:
    """Return the path of a row's file. Return its own place if its reason names no path."""
    path = row.reason.values.get("path") if isinstance(row.reason, Sentence) else None
    return str(path) if path else f"{row.file}:{row.line}" if row.line else row.file
