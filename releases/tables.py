"""Tables of numbers about a release: for pages, for the data card, and as rows of CSV."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from diptych.downloads import CopyFile
from diptych.spreadsheet import write_rows
from jobs.pages import grouped
from studies.templatetags.shares import in_words, percent

Json = Mapping[str, Any]
ALLOWED = {
    "sharing": gettext_lazy("sharing"),
    "commercial": gettext_lazy("commercial use"),
    "changes": gettext_lazy("changes"),
}


class Kind(StrEnum):
    """What the cells of a column are."""

    TEXT = "text"
    #: Words that users wrote, such as the name of a generator.
    GIVEN = "given"
    COUNT = "count"
    SHARE = "share"
    NUMBER = "number"
    #: A share as a figure: value, interval and n (`release_card.figures.results.figure_json`).
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in CSV, its heading, and what its cells are."""

    name: str
    label: str | Promise
    kind: Kind = Kind.COUNT


@dataclass(frozen=True, slots=True)
class Table:
    """A table. `rows` have the values that CSV has; the first cell is the heading of the row.

    words: what pages and cards show in place of the values of a column that are keys.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    words: Mapping[str, Mapping[str, str | Promise]] = field(default_factory=dict)

    def shown(self) -> list[list[tuple[Column, Any, str]]]:
        """Return each cell with its column, its value, and its words."""
        return [
            [(column, value, self.word(column, value)) for column, value in zip(self.columns, row, strict=True)]
            for row in self.rows
        ]

    def word(self, column: Column, value: Any) -> str:
        """Return a cell in words."""
        if column.kind == Kind.RATE:
            interval = value["interval"]
            said = in_words(value["value"], "share")
            if not isinstance(interval, list):
                return said
            low, high = map(percent, interval)
            return _("%(value)s (%(low)s to %(high)s)") % {"value": said, "low": low, "high": high}
        if column.kind in {Kind.SHARE, Kind.NUMBER}:
            return in_words(value, "share" if column.kind == Kind.SHARE else "number")
        if column.kind == Kind.COUNT:
            return "–" if value is None else grouped(value)
        return str(self.words.get(column.name, {}).get(value, value))

    def copy_as_csv(self, target: CopyFile) -> None:
        """Write the table as CSV. A rate has four columns. Raise OSError."""
        names = [
            name
            for column in self.columns
            for name in (
                [column.name, f"{column.name}_low", f"{column.name}_high", f"{column.name}_n"]
                if column.kind == Kind.RATE
                else [column.name]
            )
        ]
        write_rows(names, ([*self._cells(row)] for row in self.rows), target)

    def _cells(self, row: Sequence[Any]) -> Iterable[Any]:
        for column, value in zip(self.columns, row, strict=True):
            if column.kind == Kind.RATE:
                interval = value["interval"]
                bounds = interval if isinstance(interval, list) else [interval, interval]
                yield from (value["value"], *bounds, value["n"])
            else:
                yield "" if value is None else value


def licences(found: Sequence[Json]) -> Table:
    """Return the licences of the material, with what each allows and asks for, if the table of licences knows it."""
    columns = [
        Column("kind", _("Material"), Kind.TEXT),
        Column("names", _("Sources or generators"), Kind.GIVEN),
        Column("licence", _("Licence"), Kind.GIVEN),
        Column("count", _("Number")),
        Column("allows", _("Allows"), Kind.TEXT),
        Column("asks_for", _("Asks for"), Kind.TEXT),
    ]
    rows = [
        [one["kind"], ", ".join(one["names"]), one["licence"], one["count"], *_allows_and_asks(one)] for one in found
    ]
    kinds = {"source": _("Prompts"), "generator": _("Videos")}
    return Table(columns, rows, {"kind": kinds, "names": {"": "–"}, "licence": {"": _("not recorded")}})


def _allows_and_asks(one: Json) -> tuple[str, str]:
    if one["allows"] is None:
        return _("not known"), _("not known")
    allows = [str(word) for name, word in ALLOWED.items() if one["allows"][name]]
    asks = [_("credit")] * one["allows"]["credit"] + [_("the same licence")] * one["same_licence"]
    return ", ".join(allows) or _("nothing"), ", ".join(asks) or _("nothing")
