"""A page of a long list, found by where the one before it ended: the ten-thousandth costs what the first one does.

The place is a row's public id in the address; rows have their id as the last word in every order, so no two are level.
"""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils.formats import number_format
from django.utils.functional import Promise
from psycopg.errors import QueryCanceled

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = 50
#: Further nobody counts.
MOST_COUNTED = 10_000
#: Seconds after which a page, and the count beside it, are given up.
PAGE_LIMIT_S = 10.0
COUNT_LIMIT_S = 1.0


class NoSuchPlace(LookupError):
    """The address names a row that the study does not have."""


class TookTooLong(Exception):
    """The database did not find the rows in time."""


@dataclass(frozen=True, slots=True)
class Order:
    """By which column, never null, and in which direction; without one by when rows came in."""

    name: str
    label: str | Promise
    column: str = ""
    descending: bool = False

    def fields(self, *, backwards: bool = False) -> list[str]:
        """What to order by."""
        sign = "-" if self.descending != backwards else ""
        return [f"{sign}{field}" for field in (self.column, "pk") if field]

    def beyond(self, place: Sequence[Any], *, backwards: bool = False) -> Q:
        """The rows after (or before) a place: its value of the column, and its key."""
        *value, key = place
        further = "lt" if self.descending != backwards else "gt"
        if not value:
            return Q(**{f"pk__{further}": key})
        within = Q(**{f"{self.column}__{further}e": value[0]})  # said twice, so that an index on the column serves
        return within & (Q(**{f"{self.column}__{further}": value[0]}) | Q(**{f"pk__{further}": key}))


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and where the pages before and after begin; empty where there is none."""

    rows: list[Any]
    previous: str
    next: str
    count: int
    #: Whether there are more than were counted.
    more: bool

    @property
    def shown(self) -> str:
        """The count in figures."""
        return f"{number_format(self.count, force_grouping=True)}{'+' if self.more else ''}"


def page(found: QuerySet[Any], everything: QuerySet[Any], order: Order, *, after: str = "", before: str = "") -> Page:
    """The page of `found` that begins after, or ends before, the row with this public id among `everything`.

    Raises NoSuchPlace, TookTooLong.
    """
    backwards = bool(before)
    rows = found.order_by(*order.fields(backwards=backwards))
    if place := before or after:
        rows = rows.filter(order.beyond(_place(everything, order, place), backwards=backwards))
    with within(PAGE_LIMIT_S):  # keys first: where no index has the order, they alone are sorted
        keys = list(rows.values_list("pk", flat=True)[: PAGE + 1])
        goes_on, keys = len(keys) > PAGE, keys[:PAGE]
        by_key = everything.in_bulk(keys)
    some = [by_key[key] for key in keys if key in by_key]
    if backwards:
        some.reverse()
    is_first = not after and not (backwards and goes_on)
    is_last = not backwards and not goes_on
    count, more = (len(some), False) if is_first and is_last else counted(found, least=len(some))
    return Page(
        some,
        previous="" if is_first or not some else some[0].public_id,
        next="" if is_last or not some else some[-1].public_id,
        count=count,
        more=more,
    )


def _place(everything: QuerySet[Any], order: Order, public_id: str) -> tuple[Any, ...]:
    columns = [field.lstrip("-") for field in order.fields()]
    place = everything.filter(public_id=public_id).values_list(*columns).first()
    if place is None:
        raise NoSuchPlace(public_id)
    return tuple(place)


def counted(found: QuerySet[Any], *, least: int) -> tuple[int, bool]:
    """How many rows there are and whether there are more: the count ends at `MOST_COUNTED`, and after a second."""
    try:
        with within(COUNT_LIMIT_S):
            count = found.order_by()[: MOST_COUNTED + 1].count()
    except TookTooLong:
        return least, True
    return min(count, MOST_COUNTED), count > MOST_COUNTED


@contextmanager
def within(seconds: float) -> "Iterator[None]":
    """Statements inside end after so many seconds each. Raises TookTooLong."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(int(1000 * seconds))])
            yield
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong from None
        raise
