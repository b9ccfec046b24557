"""Read the records of a JSON Lines file or a JSON array, plain or gzipped, one at a time.

Each bad record is reported with its number. A file of another kind is refused with one sentence.
"""

import gzip
import io
import json
import zlib
from collections.abc import Iterator, Set
from contextlib import suppress
from json.decoder import WHITESPACE  # type: ignore[attr-defined]  # every version of Python has it
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO, cast

from django.conf import settings
from django.utils.translation import gettext_noop as _

from diptych import file_kinds, strict_json
from diptych.file_kinds import HEAD_BYTES, Kind
from diptych.refusals import BadInput, Refused
from diptych.strict_json import Fault
from sources.inside import open_file
from sources.sentences import Sentence

MOST_LINE_BYTES = 1 << 20
#: Characters of an array that are read in one step, and the most that one element can have.
BLOCK, MOST_ELEMENT = 1 << 18, 1 << 22
#: If this many lines at the beginning are all bad, the file is not JSON Lines.
MOST_BAD_AT_FIRST = 20
#: If more lines than this are not UTF-8, the whole file is in another encoding.
MOST_NOT_UTF8 = 100
NOT_UTF8 = _("The line is not UTF-8: byte %(number)s is wrong")
TOO_LARGE = _("The file has more than %(most)s bytes")


class Record(NamedTuple):
    """One record as it was written, and what was read of it.

    Attributes:
        number: the number of the line, or of the element in an array.
        written: the record as the file has it, on one line. It is empty if the record is too long.
        content: the object, or None if the record is not an object.
        faults: what is wrong with the record. The list is empty for a good record.
    """

    number: int
    written: bytes
    content: dict[str, Any] | None
    faults: list[Fault]


def read_records(path: Path, name: str, *, digits_kept: Set[str] = frozenset()) -> Iterator[Record]:
    """Yield the records of the file at a resolved path. `name` is the file's name in messages.

    Raises Refused for a file of another kind, BadInput where a file is damaged, and OSError.
    """
    with open_file(path) as written:
        yield from of_file(written, name, digits_kept=digits_kept)


def of_file(file: BinaryIO, name: str, *, digits_kept: Set[str] = frozenset()) -> Iterator[Record]:
    """Yield the records of an opened file, as `read_records` does."""
    try:
        head = _head(file)
        if file_kinds.recognised(head) == file_kinds.GZIP:
            file = cast(BinaryIO, gzip.GzipFile(fileobj=file))
            head = _head(file)
        if kind := file_kinds.recognised(head):
            raise wrong_form(name, kind)
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if text.startswith(b"["):
            read = _elements(file, digits_kept)
        else:
            read = _lines(file, b"\r" in head and b"\n" not in head, digits_kept)
        yield from _or_refuse_encoding(_or_refuse(read, name, text), name)
    except UnicodeDecodeError as error:
        raise BadInput(Sentence(_("The file is not UTF-8: %(error)s"), error=error.reason)) from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BadInput(Sentence(_("The gzip file is damaged or incomplete (%(error)s)"), error=error)) from error


def wrong_form(name: str, kind: Kind) -> Refused:
    """Return the refusal of a manifest that is another kind of file."""
    if kind.advice == file_kinds.REPACK:
        template = _("%(name)s is %(kind)s, which cannot be imported. %(advice)s")
    else:
        template = _("%(name)s is %(kind)s, but a manifest is JSON Lines: one JSON object per line. %(advice)s")
    return Refused(Sentence(template, name=name, kind=Sentence(kind.what), advice=Sentence(kind.advice)))


def _head(file: BinaryIO) -> bytes:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    return head


def _lines(file: BinaryIO, ends_in_cr: bool, digits_kept: Set[str]) -> Iterator[Record]:
    """Yield the lines that are not blank.

    Args:
        ends_in_cr: lines end in a carriage return, as on old Macs. JSON has that character only between values.
    """
    read = 0
    lines = _split(file, b"\r") if ends_in_cr else iter(lambda: file.readline(MOST_LINE_BYTES + 1), b"")
    for number, line in enumerate(lines, 1):
        read += len(line)
        if len(line) > MOST_LINE_BYTES:
            reason = Sentence(_("The line is longer than %(most)s bytes"), most=MOST_LINE_BYTES)
            yield Record(number, b"", None, [Fault("", reason)])
            read += 0 if ends_in_cr else _to_line_end(file, line)
        elif stripped := (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).strip():
            yield _line(number, stripped, digits_kept)
        if read > settings.IMPORT_MOST_BYTES:
            raise BadInput(Sentence(TOO_LARGE, most=settings.IMPORT_MOST_BYTES))


def _to_line_end(file: BinaryIO, line: bytes) -> int:
    """Skip the rest of a line. Return how many bytes it had."""
    skipped = 0
    while line and not line.endswith(b"\n"):
        line = file.readline(MOST_LINE_BYTES)
        skipped += len(line)
    return skipped


def _split(file: BinaryIO, end: bytes) -> Iterator[bytes]:
    """Yield the lines of a file that end in `end`. Of a line that is too long, yield only the beginning."""
    rest = b""
    while block := file.read(MOST_LINE_BYTES):
        *lines, rest = (rest + block).split(end)
        yield from lines
        rest = rest[: MOST_LINE_BYTES + 1]
    if rest:
        yield rest


def _line(number: int, written: bytes, digits_kept: Set[str]) -> Record:
    try:
        content, faults = strict_json.loads(written.decode(), digits_kept=digits_kept)
    except UnicodeDecodeError as error:
        content, faults = None, [Fault("", Sentence(NOT_UTF8, number=error.start + 1))]
    except ValueError as error:
        content, faults = None, [Fault("", Sentence(_("The line is not JSON: %(error)s"), error=error))]
    else:
        if not isinstance(content, dict):
            reason = Sentence(_("The line is not a JSON object. It must begin with { and end with }"))
            content, faults = None, [Fault("", reason)]
    return Record(number, written, content, faults)


def _or_refuse(read: Iterator[Record], name: str, head: bytes) -> Iterator[Record]:
    """Yield the records. Raises Refused if none of the first records is an object: then all have the same cause."""
    bad: list[Record] = []
    for record in read:
        bad.append(record)
        if record.content is not None or len(bad) == MOST_BAD_AT_FIRST:
            break
    if len(bad) > 1 and all(record.content is None for record in bad):
        if head.startswith(b"["):
            raise Refused(
                Sentence(
                    _("%(name)s is a JSON array, but not of objects. Write each prompt, video and pair as an object."),
                    name=name,
                )
            )
        raise Refused(
            Sentence(
                _("%(name)s is not JSON Lines: one JSON object per line. %(cause)s"),
                name=name,
                cause=_cause(bad[0], head),
            )
        )
    yield from bad
    yield from read


def _or_refuse_encoding(read: Iterator[Record], name: str) -> Iterator[Record]:
    """Yield the records. Raises Refused if many lines are not UTF-8: then the file is in another encoding."""
    wrong: list[int] = []
    for record in read:
        if record.faults and getattr(record.faults[0].reason, "template", "") == NOT_UTF8:
            wrong.append(record.number)
            if len(wrong) > MOST_NOT_UTF8:
                raise Refused(
                    Sentence(
                        _(
                            "%(name)s is not text in UTF-8: more than %(most)s lines have wrong bytes. The first is "
                            "line %(line)s. Save the file as UTF-8, and not as ANSI."
                        ),
                        name=name,
                        most=MOST_NOT_UTF8,
                        line=wrong[0],
                    )
                )
        yield record


def _cause(first: Record, head: bytes) -> Sentence:
    """Return why no line is a JSON object, and what to do."""
    text = head.decode(errors="replace")
    if text.startswith("{"):
        try:
            strict_json.raw_decode(text, 0)
        except ValueError:
            pass
        else:
            return Sentence(
                _("Its objects are spread over several lines. Write each on one line, for example with “jq -c .”.")
            )
    row = text.split("\n", 1)[0].split("\r", 1)[0]
    for sign, template in _TABLES.items():
        if sign in row and not text.startswith(("{", "'", '"{')):
            return Sentence(template)
    template = _("The first line with text is line %(line)s. %(reason)s.")
    return Sentence(template, line=first.number, reason=first.faults[0].reason)


_TABLES = {
    ";": _("It looks like a table with semicolons between its columns (CSV). Write it as JSON Lines."),
    "\t": _("It looks like a table with tabs between its columns (CSV). Write it as JSON Lines."),
    ",": _("It looks like a table with commas between its columns (CSV). Write it as JSON Lines."),
}


def _elements(file: BinaryIO, digits_kept: Set[str]) -> Iterator[Record]:
    """Yield the elements of an array. Raises BadInput where it is damaged."""
    with io.TextIOWrapper(file, encoding="utf-8-sig") as text:
        window = Window(text)
        window.sign()
        window.at += 1
        if window.sign() == "]":
            return
        number = 0
        while True:
            number += 1
            yield _element(number, window, digits_kept)
            sign = window.sign()
            window.at += 1
            if sign == "]":
                break
            if sign != ",":
                raise BadInput(Sentence(_("The JSON array is incomplete: neither a comma nor a ] follows this record")))
        if window.sign():
            raise BadInput(Sentence(_("There is more text after the end of the JSON array")))


class Window:
    """The part of a text that is in memory."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.text = ""
        self.at = 0
        self.read = 0
        self.is_over = False

    def more(self) -> None:
        """Read the next block and drop what was consumed. Raises BadInput for a text that is too long."""
        block = self.file.read(BLOCK)
        self.read += len(block)
        self.is_over = not block
        self.text, self.at = self.text[self.at :] + block, 0
        if self.read > settings.IMPORT_MOST_BYTES:
            raise BadInput(Sentence(TOO_LARGE, most=settings.IMPORT_MOST_BYTES))

    def sign(self) -> str:
        """Return the next character that is not a space, or an empty string at the end."""
        while True:
            self.at = WHITESPACE.match(self.text, self.at).end()
            if self.at < len(self.text):
                return self.text[self.at]
            if self.is_over:
                return ""
            self.more()


def _element(number: int, window: Window, digits_kept: Set[str]) -> Record:
    window.sign()
    while True:
        try:
            read = strict_json.raw_decode(window.text, window.at, digits_kept=digits_kept)
        except ValueError:
            if window.is_over or len(window.text) - window.at > MOST_ELEMENT:
                reason = _("The record is not JSON, or is longer than %(most)s characters")
                raise BadInput(Sentence(reason, most=MOST_ELEMENT)) from None
            window.more()
            continue
        written = window.text[window.at : read.end].translate(_ONE_LINE).encode()
        window.at = read.end
        if isinstance(read.value, dict):
            return Record(number, written, read.value, read.faults)
        return Record(number, written, None, [Fault("", Sentence(_("The record is not a JSON object")))])


#: In JSON, line ends can stand only between values.
_ONE_LINE = {10: " ", 13: " "}


def dumps(content: dict[str, Any]) -> bytes:
    """Return an object without faults as one line. Whole numbers can have any length."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def mentions(path: Path, mark: bytes) -> bool:
    """Return whether the file at a resolved path, unpacked if it is gzip, contains `mark`. Raises OSError.

    This is a quick check before the records are read. In a damaged file it checks what can be read.
    """
    with open_file(path) as file, suppress(gzip.BadGzipFile, zlib.error, EOFError):
        given = gzip.GzipFile(fileobj=file) if file_kinds.recognised(_head(file)) == file_kinds.GZIP else file
        before, left = b"", settings.IMPORT_MOST_BYTES
        while left > 0 and (block := given.read(BLOCK)):
            if mark in before + block:
                return True
            before, left = block[1 - len(mark) :], left - len(block)
    return False
