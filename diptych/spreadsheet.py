"""CSV that spreadsheets open correctly: UTF-8 with a byte order mark, and no cell that is calculated.

A text that begins like a formula gets an apostrophe before it (OWASP, CSV injection). `copy_table` writes rows of the
database, which formats them itself. `write_rows` writes rows that Python has.
"""

import csv
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import CharField, F, Func, QuerySet
from django.db.models.expressions import Expression

from diptych.downloads import CopyFile, copy_rows

MARK = "\ufeff".encode()
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(value: Any) -> Any:
    """Return a value in the form in which it is written into a cell."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


class _Cell(Func):
    """A column as PostgreSQL writes it into a cell. An empty text leaves the cell empty, without quotation marks."""

    output_field = CharField()


class Text(_Cell):
    """A text, with an apostrophe if it could be taken for a formula."""

    template = (
        "CASE WHEN left(%(expressions)s, 1) IN (" + ", ".join(f"'{sign}'" for sign in FORMULA) + ") "
        "THEN '''' || %(expressions)s ELSE nullif(%(expressions)s, '') END"
    )


class Words(_Cell):
    """The elements of an array, separated by spaces."""

    template = "nullif(array_to_string(%(expressions)s, ' '), '')"


class YesNo(_Cell):
    template = "CASE WHEN %(expressions)s THEN 'yes' ELSE 'no' END"


class Moment(_Cell):
    """A moment in UTC, to the second, in the form of ISO 8601."""

    template = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"')"


class Scalar(_Cell):
    """A JSON value without parts. Of texts, formulas are made harmless; numbers keep their sign."""

    template = (
        "CASE WHEN jsonb_typeof(%(expressions)s) = 'string' AND left(%(expressions)s #>> '{}', 1) IN ("
        + ", ".join(f"'{sign}'" for sign in FORMULA)
        + ") THEN '''' || (%(expressions)s #>> '{}') ELSE nullif(%(expressions)s #>> '{}', '') END"
    )


class Object(_Cell):
    """JSON. An object without content leaves the cell empty."""

    template = "nullif(%(expressions)s, '{}'::jsonb)::text"


Column = Expression | F


def copy_table(columns: dict[str, Column], rows: QuerySet[Any], target: CopyFile) -> None:
    """Copy these columns of the rows into the file, after a line with their names.

    Raises DatabaseError and OSError.
    """
    target.write(MARK + ",".join(columns).encode() + b"\n")
    try:
        statement, values = rows.values_list(*columns.values()).query.sql_with_params()
    except EmptyResultSet:  # the filters exclude each other
        return
    copy_rows(statement, values, "FORMAT csv", target)


class _Encoded:
    """A file-like object that encodes the text of csv.writer."""

    def __init__(self, target: CopyFile) -> None:
        self.target = target

    def write(self, text: str) -> int:
        return self.target.write(text.encode())


def write_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], target: CopyFile) -> None:
    """Write the rows into the file, after a line with the names of their columns. Raises OSError."""
    target.write(MARK)
    lines = csv.writer(_Encoded(target), lineterminator="\n")
    lines.writerow(columns)
    lines.writerows([harmless(value) for value in row] for row in rows)
