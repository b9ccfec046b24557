"""Byte ranges as RFC 9110 §14 defines them."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import RequestFactory
from django.utils.http import http_date

from diptych.ranges import BLOCK, IN_ONE_PIECE, Span, parse_range, ranged_response
from diptych.refusals import Refused

CONTENT = bytes(range(256)) * 4
ETAG = '"v1"'
MODIFIED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        # The examples of §14.1.2, for a representation of 10000 bytes.
        ("bytes=0-499", Span(0, 499)),
        ("bytes=500-999", Span(500, 999)),
        ("bytes=-500", Span(9500, 9999)),
        ("bytes=9500-", Span(9500, 9999)),
        ("bytes=0-0,-1", None),
        ("bytes= 0-999, 4500-5499, -1000", None),
        # What browsers send, and boundary values.
        ("bytes=0-", Span(0, 9999)),
        ("bytes=9999-", Span(9999, 9999)),
        ("bytes=0-0", Span(0, 0)),
        ("bytes=0-999999", Span(0, 9999)),
        ("bytes=-10000", Span(0, 9999)),
        ("bytes=-20000", Span(0, 9999)),
        (f"bytes=1-{'9' * 5000}", Span(1, 9999)),
        # Units are case-insensitive. A list may have empty elements (§5.6.1.2).
        ("Bytes=1-2", Span(1, 2)),
        ("bytes=,1-2, ,", Span(1, 2)),
        # Ignored: no header, another unit, malformed headers.
        (None, None),
        ("", None),
        ("bytes", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=1", None),
        ("bytes=1-2-3", None),
        ("bytes=-1-2", None),
        ("bytes=+1-2", None),
        ("bytes=0x1-2", None),
        ("bytes=٣-٤", None),
        ("bytes=5-2", None),
        ("seconds=1-2", None),
    ],
)
def test_what_a_range_selects(header: str | None, expected: Span | None) -> None:
    assert parse_range(header, 10_000) == expected


@pytest.mark.parametrize("header", ["bytes=10000-", "bytes=10000-10001", "bytes=-0", f"bytes={'9' * 5000}-"])
def test_a_range_beyond_the_end_is_unsatisfiable(header: str) -> None:
    with pytest.raises(Refused):
        parse_range(header, 10_000)


def test_an_empty_file_has_no_range() -> None:
    assert parse_range("bytes=-5", 0) is None
    with pytest.raises(Refused):
        parse_range("bytes=0-", 0)


@pytest.fixture(autouse=True)
def _closing_a_response_leaves_the_database_alone() -> Iterator[None]:
    """Keep the end of a response from checking the database's connection, as Django's own test client does."""
    request_finished.disconnect(close_old_connections)
    yield
    request_finished.connect(close_old_connections)


class Recorded(io.BytesIO):
    """A real in-memory file that also counts the bytes that are read from it."""

    read_bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        self.read_bytes += len(block)
        return block


def answer(
    method: str = "GET", content: bytes = CONTENT, modified: datetime = MODIFIED, **headers: str
) -> tuple[HttpResponseBase, Recorded]:
    """Return the response to a request with `headers` (If_Range for If-Range), and the file behind it."""
    sent = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    request = getattr(RequestFactory(), method.lower())("/", **sent)
    file = Recorded(content)
    response = ranged_response(
        request, file, size=len(content), content_type="video/mp4", etag=ETAG, last_modified=modified
    )
    return response, file


def body(response: Any) -> bytes:
    """Return the bytes of a response, and close it."""
    content = b"".join(response) if isinstance(response, StreamingHttpResponse) else response.content
    response.close()
    return bytes(content)


def test_a_plain_request_gets_the_whole_file() -> None:
    response, file = answer()

    assert response.status_code == 200
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["Content-Length"] == "1024"
    assert response.headers["Content-Type"] == "video/mp4"
    assert response.headers["ETag"] == ETAG
    assert response.headers["Last-Modified"] == "Fri, 02 Jan 2026 03:04:05 GMT"
    assert "Content-Range" not in response.headers
    assert body(response) == CONTENT
    assert file.closed


def test_a_range_gets_its_part_and_reads_no_more() -> None:
    response, file = answer(Range="bytes=100-199")

    assert response.status_code == 206
    assert response.headers["Content-Range"] == "bytes 100-199/1024"
    assert response.headers["Content-Length"] == "100"
    assert body(response) == CONTENT[100:200]
    assert file.read_bytes == 100
    assert file.closed


def test_a_long_file_comes_in_blocks() -> None:
    content = bytes(IN_ONE_PIECE + BLOCK + 10)
    response, _ = answer(content=content, Range="bytes=5-")

    assert isinstance(response, StreamingHttpResponse)
    assert [len(block) for block in response] == [BLOCK] * (IN_ONE_PIECE // BLOCK + 1) + [5]


def test_a_short_one_comes_in_one_piece_so_that_no_thread_waits_for_its_reader() -> None:
    response, file = answer(content=bytes(2 * BLOCK), Range="bytes=5-")

    assert not response.streaming
    assert len(response.content) == 2 * BLOCK - 5
    assert file.closed


def test_several_ranges_get_the_whole_file() -> None:
    response, _ = answer(Range="bytes=0-1,5-6")

    assert response.status_code == 200
    assert body(response) == CONTENT


def test_a_range_beyond_the_end_gets_416_and_the_size() -> None:
    response, file = answer(Range="bytes=5000-")

    assert response.status_code == 416
    assert response.headers["Content-Range"] == "bytes */1024"
    assert body(response) == b""
    assert file.closed


def test_head_gets_the_size_and_no_bytes_whatever_the_range() -> None:
    response, file = answer("HEAD", Range="bytes=0-1")

    assert response.status_code == 200
    assert response.headers["Content-Length"] == "1024"
    assert body(response) == b""
    assert file.closed
    assert file.read_bytes == 0


@pytest.mark.parametrize("known", [ETAG, f"W/{ETAG}", f'"other", {ETAG}', "*"])
def test_a_known_version_is_not_sent_again(known: str) -> None:
    response, file = answer(If_None_Match=known, Range="bytes=0-1")

    assert response.status_code == 304
    assert response.headers["ETag"] == ETAG
    assert body(response) == b""
    assert file.closed


def test_another_version_is_sent_even_if_the_date_would_do() -> None:
    response, _ = answer(If_None_Match='"old"', If_Modified_Since=http_date(MODIFIED.timestamp()))

    assert response.status_code == 200


@pytest.mark.parametrize(("later_s", "status"), [(-1, 200), (0, 304), (1, 304)])
def test_if_modified_since(later_s: int, status: int) -> None:
    response, _ = answer(If_Modified_Since=http_date(MODIFIED.timestamp() + later_s))

    assert response.status_code == status


@pytest.mark.parametrize(
    ("if_range", "status"),
    [
        (ETAG, 206),
        ('"old"', 200),
        (f"W/{ETAG}", 200),  # §13.1.5: a weak tag never matches
        ("Fri, 02 Jan 2026 03:04:05 GMT", 206),
        ("Fri, 02 Jan 2026 03:04:06 GMT", 200),
        ("nonsense", 200),
    ],
)
def test_if_range_guards_against_joining_two_versions(if_range: str, status: int) -> None:
    response, _ = answer(If_Range=if_range, Range="bytes=0-9")

    assert response.status_code == status


def test_if_range_by_a_date_is_not_trusted_within_its_own_second() -> None:
    now = datetime.now(UTC) + timedelta(seconds=5)
    response, _ = answer(modified=now, If_Range=http_date(now.timestamp()), Range="bytes=0-9")

    assert response.status_code == 200


def test_a_client_that_leaves_before_the_first_block_leaves_no_file_open() -> None:
    response, file = answer(Range="bytes=0-9")

    response.close()

    assert file.closed


def test_an_empty_file_is_sent_whole() -> None:
    response, file = answer(content=b"")

    assert response.status_code == 200
    assert response.headers["Content-Length"] == "0"
    assert body(response) == b""
    assert file.closed
