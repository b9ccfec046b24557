"""Tables of the page Quality, as values: the page shows them, and each is sent as CSV."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from diptych.downloads import CopyFile
from diptych.durations import HOUR, MINUTE, in_words
from diptych.numbers import grouped
from diptych.spreadsheet import write_rows
from studies.templatetags.shares import percent


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in files, its title, and the names of the numbers that files have beside it."""

    key: str
    label: str
    numeric: bool = False
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its value for files, its text for the page, the address of its rows, and its doubt in words."""

    value: Any
    text: str = ""
    href: str = ""
    doubt: str = ""
    more: tuple[Any, ...] = ()
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table with its title, a sentence that explains it, and a sentence for when it is empty."""

    name: str
    title: str
    columns: list[Column]
    rows: list[list[Cell]]
    note: str = ""
    empty: str = ""
    total: list[Cell] = field(default_factory=list)

    @property
    def shown(self) -> bool:
        """Whether the page has the table: it has rows, or a sentence for when it has none."""
        return bool(self.rows or self.empty)

    def lines(self) -> list[tuple[list[tuple[Column, Cell]], bool]]:
        """Return each row as pairs of column and cell, and whether it is the total."""
        rows = [(row, False) for row in self.rows] + ([(self.total, True)] if self.total else [])
        return [(list(zip(self.columns, row, strict=True)), is_total) for row, is_total in rows]


def number(value: int, href: str = "") -> Cell:
    """Return the cell of a count. Zero leads nowhere."""
    return Cell(value, grouped(value), href if value else "")


def share(hits: int, trials: int, bounds: tuple[float, float], href: str = "") -> Cell:
    """Return the cell of a share with its exact 95 % interval. Without trials it is a dash."""
    if not trials:
        return Cell(None, "–", more=(None, None))
    low, high = bounds
    doubt = _("%(low)s to %(high)s") % {"low": percent(low), "high": percent(high)}
    return Cell(round(hits / trials, 5), percent(hits / trials), href, doubt, (round(low, 5), round(high, 5)))


def days_words(took: timedelta | None) -> str:
    """Return a duration of hours or days in words, with one digit after the point."""
    if took is None:
        return "–"
    if took < timedelta(days=1):
        return in_words(took.total_seconds(), to=HOUR if took > timedelta(hours=2) else MINUTE)
    days = round(took / timedelta(days=1), 1)
    return ngettext("%(n)s day", "%(n)s days", 1 if days == 1 else 2) % {"n": f"{days:g}"}


def as_json(table: Table) -> list[dict[str, Any]]:
    """Return the rows of a table by the names of its columns, and of the numbers beside them."""
    names = [name for column in table.columns for name in (column.key, *column.more)]
    rows = ([value for cell in row for value in (cell.value, *cell.more)] for row in table.rows)
    return [dict(zip(names, row, strict=True)) for row in rows]


def copy_as_csv(table: Table, target: CopyFile) -> None:
    """Write a table to a CSV file for spreadsheets. Raise OSError if it cannot be written."""
    names = [name for column in table.columns for name in (column.key, *column.more)]
    rows = ([value for cell in row for value in (cell.value, *cell.more)] for row in table.rows)
    write_rows(names, rows, target)
