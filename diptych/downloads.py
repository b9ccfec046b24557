"""Downloads that show the database at one moment, and that cannot look complete when they are not (decision 027).

All rows are first copied into a temporary file, in one short transaction with one snapshot. The first byte is sent
after that, with the length of the file. A client that receives fewer bytes knows it, and changes in the database no
longer matter. The file has no name, so a killed process leaves nothing behind.
"""

import base64
import errno
import hashlib
import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import IO, Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _

from diptych.database.locks import Key, try_lock
from diptych.problems import problem_page, try_again
from diptych.ranges import ReadableFile, begins_later, ranged_response
from diptych.try_again import TryAgain, temporary

logger = logging.getLogger(__name__)

#: Seconds after which a client may ask again while other downloads are being prepared.
RETRY_AFTER_S = 5
#: Seconds that one statement of a copy may take: another download cannot start meanwhile.
LONGEST_STATEMENT_S = 600
BUFFER_BYTES = 1 << 20
#: The refusals of a download besides those of every endpoint, for the OpenAPI document.
REFUSALS = {
    416: ("range_not_satisfiable",),
    428: ("precondition_required",),
    429: ("busy",),
    507: ("storage_full",),
}
CSV = "text/csv; charset=utf-8"

#: Number of copies that are made at the same time, over all processes.
PLACES = 2


class CopyFile:
    """A temporary file that is written once, and the SHA-256 of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.size = 0
        self._digest = hashlib.sha256()

    def write(self, block: Any) -> int:
        """Append a block. Raises OSError, for instance where the disk is full."""
        self._digest.update(block)
        self.size += len(block)
        return self.file.write(block)

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of what was written so far, 64 hexadecimal digits."""
        return self._digest.hexdigest()

    @property
    def etag(self) -> str:
        """Return the strong entity tag of the bytes: two copies with the same tag are the same file."""
        return f'"{self.sha256[:32]}"'


#: A function that writes a download. It runs inside the transaction, so all its queries see the same moment.
Write = Callable[[CopyFile], None]


@contextmanager
def one_moment() -> Iterator[None]:
    """Run the block in a read-only transaction that sees one moment. Raises TryAgain, and DatabaseError."""
    is_outermost = not connection.in_atomic_block  # inside a caller's transaction, that one decides what is seen
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(1000 * LONGEST_STATEMENT_S)])
        if not any(try_lock(Key.DOWNLOAD, place) for place in range(PLACES)):
            raise TryAgain(
                _("Other downloads are being prepared."),
                _("Try again in a few seconds. In a browser, leave this page open: your download starts by itself."),
                "busy",
                status=429,
                retry_after_s=RETRY_AFTER_S,
            )
        yield


def copy_rows(statement: str, values: Any, options: str, target: CopyFile) -> None:
    """Copy the rows of a SELECT into the file, in a format of PostgreSQL's COPY. Raises DatabaseError and OSError."""
    copy = f"COPY ({statement}) TO STDOUT ({options})"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(copy, values) as blocks:
        for block in blocks:
            target.write(block)


def send(
    request: HttpRequest, write: Write, *, name: str, content_type: str, record: Callable[[], object] | None = None
) -> HttpResponseBase:
    """Make the file and respond with it, or with the range that was asked for.

    Otherwise say why that is impossible now.

    `name` is what browsers call the file. `record` is called when the file is made, before any of it is sent. HEAD
    makes no file, so its response has no length.
    """
    headers = {"Content-Disposition": attachment(name), "Accept-Ranges": "bytes"}
    if request.method == "HEAD":
        return StreamingHttpResponse((), content_type=content_type, headers=headers)
    if begins_later(request.headers.get("Range")) and "If-Range" not in request.headers:
        return _without_if_range(request)
    file = tempfile.TemporaryFile(buffering=BUFFER_BYTES)  # noqa: SIM115 - the response closes it
    try:
        made = CopyFile(file)
        with one_moment():
            write(made)
        file.flush()
        moment = datetime.now(UTC)
        response = ranged_response(
            request, file, size=made.size, content_type=content_type, etag=made.etag, last_modified=moment
        )
        if response.status_code == 416:
            headers = {"Content-Range": response.headers["Content-Range"]}
            response = _no_such_part(request)
        if record and response.status_code in {200, 206}:
            record()
    except BaseException as error:
        with suppress(OSError):  # closing writes the rest, which fails again on a full disk
            file.close()
        if refusal := _refusal(request, error):
            return refusal
        raise
    for header, value in headers.items():
        response.headers[header] = value
    return response


def send_stored(
    request: HttpRequest, file: ReadableFile, *, name: str, content_type: str, size: int, sha256: str, at: datetime
) -> HttpResponseBase:
    """Respond with a stored file that never changes, or with the range that was asked for.

    The digest of the whole file is its entity tag, so a range needs no If-Range, and it stands in `Repr-Digest`
    (RFC 9530). `at` is when the file was made. The file is closed with the response.
    """
    response = ranged_response(
        request, file, size=size, content_type=content_type, etag=f'"{sha256}"', last_modified=at
    )
    headers = {"Content-Disposition": attachment(name)}
    if response.status_code == 416:
        headers = {"Content-Range": response.headers["Content-Range"]}
        response = _no_such_part(request)
    else:
        headers["Repr-Digest"] = repr_digest(sha256)
    for header, value in headers.items():
        response.headers[header] = value
    return response


def attachment(name: str) -> str:
    """Return the `Content-Disposition` with which browsers store a file under this name."""
    return f'attachment; filename="{name}"'


def repr_digest(sha256: str) -> str:
    """Return the `Repr-Digest` (RFC 9530) of a file with this SHA-256, 64 hexadecimal digits."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"


def _refusal(request: HttpRequest, error: BaseException) -> HttpResponse | None:
    """Return what to say when the file cannot be made. Return None for an error that is not known here."""
    if passing := temporary(error):
        return try_again(request, passing)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        logger.error("A download found no space in %s: %s", tempfile.gettempdir(), error)
        title = _("The disk of the server is full, so this file could not be made.")
        return problem_page(request, 507, title, _("Tell the operator of this installation, and try again later."))
    return None


def _without_if_range(request: HttpRequest) -> HttpResponse:
    """Refuse a range without If-Range. Raises Refused.

    The new copy may show another moment than the part that the client has. Joined, the parts would be no valid file.
    """
    title = _("This download cannot be resumed without an If-Range header.")
    advice = _("Send If-Range with the ETag of the part that you have, or download the whole file again.")
    return problem_page(request, 428, title, advice)


def _no_such_part(request: HttpRequest) -> HttpResponse:
    return problem_page(
        request, 416, _("The file has no bytes in this range."), _("Ask for a range within the length of the file.")
    )
