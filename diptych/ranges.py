"""HTTP byte ranges (RFC 9110 §13, §14). Browsers need them to seek, and Django's file views ignore them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import http_date, parse_etags, parse_http_date_safe

from diptych.refusals import Refused

BLOCK = 256 * 1024  # bytes read at a time

_BYTE_RANGE = re.compile(r"([0-9]*)-([0-9]*)", re.ASCII)
_MOST_DIGITS = 19  # beyond the size of any file, so longer numbers are not parsed


class ReadableFile(Protocol):
    """The common interface of a Django `File`, an opened file and a storage's file."""

    def read(self, size: int, /) -> bytes: ...
    def seek(self, offset: int, /) -> object: ...
    def close(self) -> None: ...


#: Why no part of the file is sent.
BEYOND = "The range lies beyond the end of the file."


@dataclass(frozen=True)
class Span:
    """Bytes `first` to `last` of a file, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """Return the number of bytes."""
        return self.last - self.first + 1


def parse_range(header: str | None, size: int) -> Span | None:
    """Return the one span of a `Range` header that selects within `size` bytes, or None for the whole file.

    The result is also None for what RFC 9110 §14.2 lets a server ignore: no header, another unit, a malformed header,
    several ranges at once (no browser needs them for media), and any suffix of an empty file.

    Raises Refused.
    """
    unit, _, ranges = (header or "").partition("=")
    asked = [part.strip(" \t") for part in ranges.split(",")]
    asked = [part for part in asked if part]
    if unit.strip().lower() != "bytes" or len(asked) != 1:
        return None
    match = _BYTE_RANGE.fullmatch(asked[0])
    if match is None or not any(match.groups()):
        return None
    return _suffix(match[2], size) if not match[1] else _from_first(match[1], match[2], size)


def begins_later(header: str | None) -> bool:
    """Return whether a `Range` header asks for a part that does not begin with the first byte of the file."""
    try:
        span = parse_range(header, 10**_MOST_DIGITS)
    except Refused:
        return False
    return span is not None and span.first > 0


def _suffix(length: str, size: int) -> Span | None:
    wanted = _number(length)
    if wanted == 0:
        raise Refused(BEYOND, status=416)
    return Span(max(0, size - wanted), size - 1) if size else None


def _from_first(first: str, last: str, size: int) -> Span | None:
    start, end = _number(first), _number(last) if last else size - 1
    if last and end < start:
        return None  # "invalid", which is ignored, unlike "unsatisfiable"
    if start >= size:
        raise Refused(BEYOND, status=416)
    return Span(start, min(end, size - 1))


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS


#: Bytes that a thread may keep in memory for one response. The published videos have 0.56 MB on average.
IN_ONE_PIECE = 4 * 1024 * 1024


def ranged_response(
    request: HttpRequest,
    file: ReadableFile,
    *,
    size: int,
    content_type: str,
    etag: str,
    last_modified: datetime,
) -> HttpResponseBase:
    """Respond to GET or HEAD for an opened `file` of `size` bytes with 200, 206, 304 or 416.

    `etag` is a strong entity tag with its quotes. The file is closed with the response, or at once if none of its bytes
    are sent. Preconditions come before ranges, as RFC 9110 §13.2.2 orders them.
    """
    response = _choose(request, file, size=size, etag=etag, last_modified=last_modified)
    if not isinstance(response, StreamingHttpResponse):
        file.close()
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = etag
    response.headers["Last-Modified"] = http_date(last_modified.timestamp())
    if response.status_code in {200, 206}:
        response.headers["Content-Type"] = content_type
    return response


def _choose(
    request: HttpRequest, file: ReadableFile, *, size: int, etag: str, last_modified: datetime
) -> HttpResponseBase:
    if _not_modified(request, etag, last_modified):
        return HttpResponse(status=304)
    if request.method == "HEAD":  # §14.2: ranges are defined for GET only
        return HttpResponse(headers={"Content-Length": str(size)})
    header = request.headers.get("Range")
    if not _range_still_applies(request.headers.get("If-Range"), etag, last_modified):
        header = None
    try:
        span = parse_range(header, size)
    except Refused:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    if span is None:
        return _bytes_of(file, Span(0, size - 1))
    response = _bytes_of(file, span)
    response.status_code = 206
    response.headers["Content-Range"] = f"bytes {span.first}-{span.last}/{size}"
    return response


def _bytes_of(file: ReadableFile, span: Span) -> HttpResponseBase:
    """Return a short span in one piece: the server then sends it, and no thread waits for a slow client."""
    blocks = Blocks(file, span)
    headers = {"Content-Length": str(span.length)}
    if span.length <= IN_ONE_PIECE:
        return HttpResponse(b"".join(blocks), headers=headers)
    return StreamingHttpResponse(blocks, headers=headers)


def _not_modified(request: HttpRequest, etag: str, last_modified: datetime) -> bool:
    """Return whether the client has this file. If-Modified-Since counts only without If-None-Match (RFC 9110 §13.1)."""
    if (known := request.headers.get("If-None-Match")) is not None:
        tags = [tag.removeprefix("W/") for tag in parse_etags(known)]
        return "*" in tags or etag in tags
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    return since is not None and int(last_modified.timestamp()) <= since


def _range_still_applies(if_range: str | None, etag: str, last_modified: datetime) -> bool:
    """Return whether the client's part is of this file: same strong tag, or same date (RFC 9110 §13.1.5).

    Two versions within one second share a date, so a date counts only once it is a second old.
    """
    if if_range is None:
        return True
    if if_range.lstrip().startswith(('"', "W/")):
        return if_range.strip() == etag
    known = parse_http_date_safe(if_range)
    settled = datetime.now(UTC).timestamp() - last_modified.timestamp() >= 1
    return settled and known == int(last_modified.timestamp())


class Blocks:
    """The bytes of one span in blocks, never beyond its end. Closing it closes the file.

    This is a class and not a generator. Closing a generator that was never started does not run its `finally`, so a
    client that goes away before the first block would leave the file open.
    """

    def __init__(self, file: ReadableFile, span: Span) -> None:
        self._file = file
        self._left = span.length
        if self._left:
            file.seek(span.first)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block = self._file.read(min(BLOCK, self._left)) if self._left else b""
        if not block:
            self.close()
            raise StopIteration
        self._left -= len(block)
        return block

    def close(self) -> None:
        """Close the file. It is safe to call this twice."""
        self._left = 0
        self._file.close()
