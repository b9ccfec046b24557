"""Tables of what waits for review, and of how long that will take."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from diptych.numbers import grouped
from figures.overview import forecast
from figures.overview.reader import Reader
from figures.overview.tables import Cell, Column, Table, days_words, number
from qc import waiting
from qc.models.reviews import Kind


def by_kind(reader: Reader) -> Table:
    """Return what waits by kind of review and age."""
    rows = []
    for kind in waiting.KINDS:
        mine = [row for row in reader.waits if row["kind"] == kind]
        ages = _sums(mine, lambda row: row["age"])
        rows.append(
            [
                Cell(kind, str(Kind(kind).label).capitalize()),
                *(number(ages[age], reader.waiting_rows(kind=kind, age=age)) for age in waiting.AGES),
                number(ages.total(), reader.waiting_rows(kind=kind)),
                number(_total(mine, "assigned"), reader.waiting_rows(kind=kind, assigned="*")),
                number(_total(mine, "held"), reader.waiting_rows(kind=kind, held="*")),
            ]
        )
    return Table(
        "waiting-by-kind",
        _("Waiting, by kind and age"),
        [
            Column("kind", _("Kind of review")),
            *(Column(f"waits_{age}", str(title), True) for age, (title, _low, _high) in waiting.AGES.items()),
            Column("waits", _("All"), True),
            Column("assigned", _("Assigned"), True),
            Column("being_reviewed", _("Being reviewed now"), True),
        ],
        rows if reader.waits else [],
        note=_(
            "Waiting counts from the moment when the review became possible: when the review of the lot started, its "
            "sample was drawn, or the verdict was given. “Suspicious answers” are not listed: nobody has to review "
            "them."
        ),
        empty=_("Nothing waits for a review."),
    )


def by_lot(reader: Reader) -> Table:
    """Return what waits by lot."""
    lots = sorted({row["lot"] for row in reader.waits})
    rows = []
    for lot in lots:
        kinds = _sums([row for row in reader.waits if row["lot"] == lot], lambda row: row["kind"])
        title = Cell(lot, _("Lot %(n)s") % {"n": grouped(lot)}, reverse("qc:lot", args=[reader.study.slug, lot]))
        cells = [number(kinds[kind], reader.waiting_rows(kind=kind, lot=lot)) for kind in waiting.KINDS]
        rows.append([title, *cells])
    kind_columns = [Column(kind, str(Kind(kind).label).capitalize(), True) for kind in waiting.KINDS]
    return Table("waiting-by-lot", _("Waiting, by lot"), [Column("lot", _("Lot")), *kind_columns], rows)


def by_reviewer(reader: Reader) -> Table:
    """Return what waits by the reviewer to whom it is assigned."""
    rows = []
    assigned = sorted({row["assigned"] for row in reader.waits if row["assigned"]}, key=lambda key: reader.people[key])
    held = {row["held"] for row in reader.waits if row["held"]}
    everybody = [*assigned, *sorted(held - set(assigned), key=lambda key: reader.people[key]), None]
    for person in everybody if reader.waits else ():
        mine = [row for row in reader.waits if row["assigned"] == person]
        kinds = _sums(mine, lambda row: row["kind"])
        name = reader.people[person] if person else ""
        now = _total([row for row in reader.waits if person and row["held"] == person], "held")
        rows.append(
            [
                Cell(name, name, is_name=True) if name else Cell("", _("Not assigned")),
                *(number(kinds[kind], reader.waiting_rows(kind=kind, assigned=name or "-")) for kind in waiting.KINDS),
                Cell(now, grouped(now)) if person else Cell(None, "–"),
            ]
        )
    return Table(
        "waiting-by-reviewer",
        _("Waiting, by reviewer"),
        [
            Column("reviewer", _("Assigned to")),
            *(Column(kind, str(Kind(kind).label).capitalize(), True) for kind in waiting.KINDS),
            Column("reviewing_now", _("Being reviewed now"), True),
        ],
        rows,
    )


def forecasts(reader: Reader) -> Table:
    """Return how long the waiting reviews will take at the pace of the last seven days."""
    kinds = _sums(reader.waits, lambda row: row["kind"])
    paces = reader.paces
    rows = []
    for kind in waiting.KINDS:
        found = forecast.forecast(kinds[kind], paces[kind])
        if found.left or found.done:
            rows.append([Cell(kind, str(Kind(kind).label).capitalize()), *_forecast_cells(reader, kind, found)])
    return Table(
        "forecast",
        _("Forecast"),
        [
            Column("kind", _("Kind of review")),
            Column("waits", _("Waiting"), True),
            Column("reviewed_in_7_days", _("Reviewed in 7 days"), True),
            Column("a_day", _("Per day"), True),
            Column("days_left", _("Time left"), more=("days_left_low", "days_left_high")),
        ],
        rows,
        note=_(
            "Waiting answers divided by the pace of the last 7 days. The interval follows from how much these days "
            "differ. Confirmations that later defects will need are not included."
        ),
        empty=_("Nothing waits, and nothing was reviewed in the last 7 days."),
    )


def _forecast_cells(reader: Reader, kind: str, found: forecast.Forecast) -> list[Cell]:
    if not found.left:
        left = Cell(0, _("nothing left"), more=(0, 0))
    elif found.days is None:
        left = Cell(None, _("no reviews in 7 days"), more=(None, None))
    else:
        low = days_words(timedelta(days=min(found.low or 0, 36_500)))
        high = days_words(timedelta(days=found.high)) if found.high and found.high < 36_500 else _("no upper limit")
        doubt = _("%(low)s to %(high)s") % {"low": low, "high": high}
        numbers = tuple(None if one is None else round(one, 2) for one in (found.low, found.high))
        left = Cell(
            round(found.days, 2), days_words(timedelta(days=min(found.days, 36_500))), doubt=doubt, more=numbers
        )
    reviewed = reverse("figures:reviewed", args=[reader.study.slug]) if reader.decides else ""
    done = number(found.done, f"{reviewed}?{urlencode({'kind': kind, 'days': 7})}" if reviewed else "")
    pace = Cell(round(found.pace, 2), f"{found.pace:.1f}")
    return [number(found.left, reader.waiting_rows(kind=kind)), done, pace, left]


def _sums(rows: list[dict[str, Any]], key: Callable[[dict[str, Any]], str]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for row in rows:
        sums[key(row)] += row["n"]
    return sums


def _total(rows: list[dict[str, Any]], name: str) -> int:
    return sum(row["n"] for row in rows if row[name])
