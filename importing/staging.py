"""Write many rows into a table: COPY into a temporary table, then one INSERT, in which constraints decide.

A column that a manifest line leaves out is null in the temporary table. The INSERT replaces it by the model's default.
It is not compared if the row exists already.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models
from psycopg import sql
from psycopg.types.json import Jsonb

MANY_ROWS = 1_000


class Staged:
    """A temporary table with a number for each row. Use it as `with Staged(…) as staged` in a transaction."""

    def __init__(self, name: str, columns: dict[str, str]) -> None:
        self.table = sql.Identifier(name)
        self.columns = {"row": "integer"} | columns

    def __enter__(self) -> "Staged":
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in self.columns.items()
        )
        execute(sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(self.table, columns))
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:  # after an error the transaction has ended, and the table is dropped
            execute(sql.SQL("DROP TABLE {}").format(self.table))

    def copy(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows, with values in the order of the columns."""
        names = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(self.table, names)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def number(self) -> None:
        """Create the index on the row numbers and update statistics. Call it after all rows were copied."""
        execute(sql.SQL("CREATE INDEX ON {} (row)").format(self.table))
        execute(sql.SQL("ANALYZE {}").format(self.table))


def execute(query: sql.Composable, **values: Any) -> int:
    """Run one statement. Return the number of affected rows."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.rowcount


def fetch(query: sql.Composable, **values: Any) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def refresh_statistics(model: type[models.Model], added: int) -> None:
    """Update the planner's statistics if many rows were added.

    Autovacuum does that only after the commit. Until then the planner scans a table that it believes to be empty.
    """
    if added >= MANY_ROWS:
        execute(sql.SQL("ANALYZE {}").format(sql.Identifier(model._meta.db_table)))


def column_kinds(model: type[models.Model], names: Iterable[str]) -> dict[str, str]:
    """Return PostgreSQL types for columns of the model, without lengths: the real table checks these."""
    kinds = {"JSONField": "jsonb", "ArrayField": "text[]"}
    return {name: kinds.get(type(model._meta.get_field(name)).__name__, "text") for name in names}


def or_default(model: type[models.Model], name: str) -> sql.Composable:
    """Return SQL for a staged column, with the model's default if the manifest does not state a value."""
    default = model._meta.get_field(name).get_default()  # type: ignore[union-attr]
    column = sql.SQL("staged.{}").format(sql.Identifier(name))
    if default is None:
        return column
    literal = sql.Literal(Jsonb(default) if isinstance(default, dict) else default)
    return sql.SQL("coalesce({}, {})").format(column, literal)


def differing(model: type[models.Model], names: Iterable[str]) -> sql.Composable:
    """Return SQL for an array of the columns whose stated value differs between `staged` and the row `there`."""
    case = """CASE WHEN staged.{name} IS NOT NULL AND staged.{name} IS DISTINCT FROM there.{name}::{kind}
                   THEN {text} END"""
    cases = [
        sql.SQL(case).format(name=sql.Identifier(name), kind=sql.SQL(kind), text=sql.Literal(name))
        for name, kind in column_kinds(model, names).items()
    ]
    return sql.SQL("array_remove(ARRAY[{}]::text[], NULL)").format(sql.SQL(", ").join(cases))
