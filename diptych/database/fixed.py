"""Statements with a fixed text. Their rows become model instances without composing SQL for each request.

The ORM takes longer to compose a statement than PostgreSQL takes to run it. For requests that everybody makes all day,
the statement is written once by hand, and its rows are read into the same models.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Generic, Self, TypeVar

import orjson
import psycopg
from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


class Columns(Generic[Row]):
    """All columns of a model under an alias: their text for a SELECT, and a way to read a row that has them."""

    def __init__(self, model: type[Row], alias: str) -> None:
        fields = model._meta.concrete_fields
        self.model = model
        self.names = [field.attname for field in fields]
        self.sql = ", ".join(f'{alias}."{field.column}"' for field in fields)
        self.json = [index for index, field in enumerate(fields) if isinstance(field, models.JSONField)]

    def instance(self, row: tuple[Any, ...], start: int = 0) -> Row:
        """Return the instance that a row holds from column `start` on."""
        values = list(row[start : start + len(self.names)])
        for index in self.json:
            if values[index] is not None:
                values[index] = orjson.loads(values[index])
        return self.model.from_db(connection.alias, self.names, values)


#: A named parameter, or a per cent sign.
PARAMETER = re.compile(r"%(?:\((\w+)\)s|%)")


@cache
def numbered(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """Return the statement with `$1` for `%(name)s`, and the names in the order of these numbers.

    psycopg does this too, but it does not cache statements of more than 4,096 characters.
    """
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f"${numbers.setdefault(found[1], len(numbers) + 1)}" if found[1] else "%"

    return PARAMETER.sub(number, statement).encode(), tuple(numbers)


class FixedCursor(psycopg.RawCursor[tuple[Any, ...]]):
    """A cursor for statements with named parameters that always have the same text."""

    def execute(self, statement: str, values: dict[str, Any]) -> Self:  # type: ignore[override]
        text, names = numbered(statement)
        return super().execute(text, [values[name] for name in names])


@contextmanager
def executed(statement: str, values: dict[str, Any]) -> Iterator[Any]:
    """Run the statement and yield its cursor. The server binds the values, so it plans the statement only once.

    Django's own cursors write the values into the text. The wrapper around ours is Django's, so errors, query logs and
    `connection.execute_wrapper` work as with any other statement.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    wrapped = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrapped(FixedCursor(connection.connection)) as cursor:  # type: ignore[arg-type]  # it wraps a bare one
        cursor.execute(statement, values)
        yield cursor


def fetch_one(statement: str, values: dict[str, Any]) -> tuple[Any, ...] | None:
    """Return the first row, or None."""
    with executed(statement, values) as cursor:
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def fetch_all(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return all rows."""
    with executed(statement, values) as cursor:
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def change(statement: str, values: dict[str, Any]) -> int:
    """Run the statement and return the number of rows that it changed."""
    with executed(statement, values) as cursor:
        return int(cursor.rowcount)
