"""A page of a long list, found by the row where the page before it ended. Page 10,000 is as fast as the first page.

The address names the row by its public id. Every order ends with the rows' id, so no two rows are equal in it. Short
lists with numbered pages use Django's `Paginator`. `templates/_pages.html` has the links of both.
"""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from psycopg.errors import QueryCanceled

from diptych.numbers import grouped
from diptych.refusals import NotThere
from diptych.try_again import TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = 50
#: Rows beyond this number are not counted.
MOST_COUNTED = 10_000
#: Seconds after which a page of the library, and the count beside it, are given up.
PAGE_LIMIT_S = 10.0
COUNT_LIMIT_S = 1.0


class TookTooLong(TryAgain):
    """A refusal because the database did not find the rows in time."""

    def __init__(self) -> None:
        advice = _("Narrow the list with a filter, or try again in a few seconds.")
        super().__init__(_("This took too long."), advice, "took_too_long")


@dataclass(frozen=True, slots=True)
class Order:
    """The column of an order, which is never null, and its direction.

    Without a column, rows are in order of arrival.
    """

    name: str
    label: str | Promise
    column: str = ""
    descending: bool = False

    def fields(self, *, backwards: bool = False) -> list[str]:
        """Return the names of the fields to order by."""
        sign = "-" if self.descending != backwards else ""
        return [f"{sign}{field}" for field in (self.column, "pk") if field]

    def beyond(self, place: Sequence[Any], *, backwards: bool = False) -> Q:
        """Return the condition for the rows after (or before) a place: its value of the column, and its key."""
        *value, key = place
        further = "lt" if self.descending != backwards else "gt"
        if not value:
            return Q(**{f"pk__{further}": key})
        # A second condition, so that an index on the column can be used
        within = Q(**{f"{self.column}__{further}e": value[0]})
        return within & (Q(**{f"{self.column}__{further}": value[0]}) | Q(**{f"pk__{further}": key}))


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and where the pages before and after begin, if there are any. `_pages.html` has the links."""

    rows: list[Any]
    previous: str
    next: str

    @property
    def has_other_pages(self) -> bool:
        return bool(self.previous or self.next)


@dataclass(frozen=True, slots=True)
class Count:
    """The number of rows, and whether there are more than were counted."""

    number: int
    more: bool

    def __str__(self) -> str:
        return f"{grouped(self.number)}{'+' if self.more else ''}"


def page(
    found: QuerySet[Any],
    everything: QuerySet[Any],
    order: Order,
    *,
    after: str = "",
    before: str = "",
    size: int = 0,
    key: str = "public_id",
) -> Page:
    """Return the page of `found` that begins after, or ends before, a row among `everything`.

    The row is named by its `key`, a unique field. A page has `size` rows at most, or `PAGE`.

    Raises NotThere.
    """
    size = size or PAGE
    backwards = bool(before)
    rows = found.order_by(*order.fields(backwards=backwards))
    if place := before or after:
        rows = rows.filter(order.beyond(_place(everything, order, key, place), backwards=backwards))
    keys = list(
        rows.values_list("pk", flat=True)[: size + 1]
    )  # first: where no index has the order, only these rows are sorted
    goes_on, keys = len(keys) > size, keys[:size]
    by_key = everything.in_bulk(keys)
    some = [by_key[pk] for pk in keys if pk in by_key]
    if backwards:
        some.reverse()
    is_first = not after and not (backwards and goes_on)
    is_last = not backwards and not goes_on
    return Page(
        some,
        previous="" if is_first or not some else str(getattr(some[0], key)),
        next="" if is_last or not some else str(getattr(some[-1], key)),
    )


def _place(everything: QuerySet[Any], order: Order, key: str, value: str) -> tuple[Any, ...]:
    columns = [field.lstrip("-") for field in order.fields()]
    try:
        place = everything.filter(**{key: value}).values_list(*columns).first()
    except ValueError:  # the key is a number, and the value is not
        place = None
    if place is None:
        raise NotThere(_("This list has no row “%(place)s”.") % {"place": value})
    return tuple(place)


def counted(found: QuerySet[Any], shown: Page) -> Count:
    """Return the number of rows that `shown` is a page of. Counting ends at `MOST_COUNTED`, and after a second."""
    if not shown.has_other_pages:
        return Count(len(shown.rows), more=False)
    try:
        with within(COUNT_LIMIT_S):
            number = found.order_by()[: MOST_COUNTED + 1].count()
    except TookTooLong:
        return Count(len(shown.rows), more=True)
    return Count(min(number, MOST_COUNTED), number > MOST_COUNTED)


@contextmanager
def within(seconds: float) -> "Iterator[None]":
    """End each statement inside the block after this many seconds. Raises TookTooLong."""
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
