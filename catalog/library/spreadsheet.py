"""A list of the library as CSV that spreadsheets open as they should: UTF-8 with its mark, and never a formula."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from catalog.library.listing import Listing
from catalog.library.paging import in_chunks

CHUNK = 2000
#: A cell that begins so is a formula to a spreadsheet; an apostrophe in front makes it words again.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def lines(listing: Listing, rows: QuerySet[Any]) -> Iterator[bytes]:
    """The file in blocks of up to `CHUNK` lines, in the order in which rows came in."""
    yield b"\xef\xbb\xbf" + _written([list(listing.columns)])
    for chunk in in_chunks(rows, CHUNK):
        yield _written([[_cell(read(row)) for read in listing.columns.values()] for row in chunk])


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _written(table: list[list[Any]]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(table)
    return file.getvalue().encode()
