"""Read the records of a JSON Lines file or a JSON array, plain or gzipped, one at a time.

Bad records are named with their number. A file that is something else altogether is refused with one sentence.
"""

import gzip
import io
import json
import zlib
from collections.abc import Iterator, Set
from contextlib import suppress
from json.decoder import WHITESPACE  # type: ignore[attr-defined]  # it is there in every version
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO, cast

from django.conf import settings

from diptych import file_kinds, strict_json
from diptych.file_kinds import HEAD_BYTES, Kind
from diptych.refusals import BadInput, Refused
from diptych.strict_json import Fault
from importing.inside import open_file

MOST_LINE_BYTES = 1 << 20
#: Characters that are read of an array at once, and those that one element may have.
BLOCK, MOST_ELEMENT = 1 << 18, 1 << 22
#: So many bad lines at the beginning, and no good one, mean that the file is no JSON Lines at all.
MOST_BAD_AT_FIRST = 20
#: So many lines that are not UTF-8 mean that the whole file is not.
MOST_NOT_UTF8 = 100
NOT_UTF8 = "The line is not UTF-8"
NOT_AN_OBJECT = "is not a JSON object; it must begin with { and end with }"


class Record(NamedTuple):
    """One record as it was written, and what was read of it.

    Attributes:
        number: the number of the line, or in an array of the element.
        written: the record as it stands in the file, on one line; empty if it is too long.
        content: the object; None if the record is no object.
        faults: what is wrong with it; nothing for a good record.
    """

    number: int
    written: bytes
    content: dict[str, Any] | None
    faults: list[Fault]


def read_records(path: Path, name: str, *, digits_kept: Set[str] = frozenset()) -> Iterator[Record]:
    """Yield the records of the file at a resolved path, which people know as `name`.

    Raises Refused for a file of another form, BadInput for one that is damaged from some record on, and OSError.
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
        raise BadInput(f"The file is not UTF-8: {error.reason}") from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BadInput(f"The gzip file is damaged or not whole ({error})") from error


def wrong_form(name: str, kind: Kind) -> Refused:
    """Return the refusal of a manifest that is another kind of file."""
    if kind.advice == file_kinds.REPACK:
        return Refused(f"{name} is {kind.what}, which is not read here. {kind.advice}")
    return Refused(f"{name} is {kind.what}, and a manifest is JSON Lines: one JSON object a line. {kind.advice}")


def _head(file: BinaryIO) -> bytes:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    return head


def _lines(file: BinaryIO, ends_in_cr: bool, digits_kept: Set[str]) -> Iterator[Record]:
    """Yield the lines that are not blank.

    Args:
        ends_in_cr: lines end as on old Macs. JSON has that character between values only, so nothing is lost.
    """
    read = 0
    lines = _split(file, b"\r") if ends_in_cr else iter(lambda: file.readline(MOST_LINE_BYTES + 1), b"")
    for number, line in enumerate(lines, 1):
        read += len(line)
        if len(line) > MOST_LINE_BYTES:
            yield Record(number, b"", None, [Fault("", f"The line is longer than {MOST_LINE_BYTES} bytes")])
            read += 0 if ends_in_cr else _to_line_end(file, line)
        elif stripped := (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).strip():
            yield _line(number, stripped, digits_kept)
        if read > settings.IMPORT_MOST_BYTES:
            raise BadInput(f"The file holds more than {settings.IMPORT_MOST_BYTES} bytes")


def _to_line_end(file: BinaryIO, line: bytes) -> int:
    """Pass by the rest of a line. Return how many bytes it was."""
    passed = 0
    while line and not line.endswith(b"\n"):
        line = file.readline(MOST_LINE_BYTES)
        passed += len(line)
    return passed


def _split(file: BinaryIO, end: bytes) -> Iterator[bytes]:
    """Yield the lines of a file that end in `end`; one that is too long comes as its beginning."""
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
        content, faults = None, [Fault("", f"{NOT_UTF8}: byte {error.start + 1} is wrong")]
    except ValueError as error:
        content, faults = None, [Fault("", f"The line is not JSON: {error}")]
    else:
        if not isinstance(content, dict):
            content, faults = None, [Fault("", f"The line {NOT_AN_OBJECT}")]
    return Record(number, written, content, faults)


def _or_refuse(read: Iterator[Record], name: str, head: bytes) -> Iterator[Record]:
    """Yield the records. Raises Refused if none of the first ones is an object: then all have one cause, named once."""
    bad: list[Record] = []
    for record in read:
        bad.append(record)
        if record.content is not None or len(bad) == MOST_BAD_AT_FIRST:
            break
    if len(bad) > 1 and all(record.content is None for record in bad):
        if head.startswith(b"["):
            raise Refused(f"{name} is a JSON array, but not of objects. Each prompt, video and pair is an object.")
        raise Refused(f"{name} is not JSON Lines, where each line is one JSON object. {_cause(bad[0], head)}")
    yield from bad
    yield from read


def _or_refuse_encoding(read: Iterator[Record], name: str) -> Iterator[Record]:
    """Yield the records. Raises Refused once many lines are not UTF-8: then the file is in another encoding."""
    wrong: list[int] = []
    for record in read:
        if record.faults and record.faults[0].reason.startswith(NOT_UTF8):
            wrong.append(record.number)
            if len(wrong) > MOST_NOT_UTF8:
                raise Refused(
                    f"{name} is not text in UTF-8: more than {MOST_NOT_UTF8} lines have wrong bytes, the first is line "
                    f"{wrong[0]}. Save it as UTF-8. Windows calls the other encoding ANSI."
                )
        yield record


def _cause(first: Record, head: bytes) -> str:
    """Return why no line is a JSON object, with what to do."""
    text = head.decode(errors="replace")
    if text.startswith("{"):
        try:
            strict_json.raw_decode(text, 0)
        except ValueError:
            pass
        else:
            return "Its objects stand on several lines each. Write each on one line, for example with “jq -c .”."
    row = text.split("\n", 1)[0].split("\r", 1)[0]
    for sign, called in ((";", "semicolons"), ("\t", "tabs"), (",", "commas")):
        if sign in row and not text.startswith(("{", "'", '"{')):
            return f"It looks like a table with {called} between its columns (CSV). Write it as JSON Lines."
    return f"The first line of text, line {first.number}, says why: {first.faults[0].reason}."


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
                raise BadInput("The JSON array is not whole: after this record comes neither a comma nor a ]")
        if window.sign():
            raise BadInput("There is more behind the end of the JSON array")


class Window:
    """The part of a text that is looked at now."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.text = ""
        self.at = 0
        self.read = 0
        self.is_over = False

    def more(self) -> None:
        """Read on, and forget what lies behind. Raises BadInput for a text without end."""
        block = self.file.read(BLOCK)
        self.read += len(block)
        self.is_over = not block
        self.text, self.at = self.text[self.at :] + block, 0
        if self.read > settings.IMPORT_MOST_BYTES:
            raise BadInput(f"The file holds more than {settings.IMPORT_MOST_BYTES} characters")

    def sign(self) -> str:
        """Return the next character that is no space, or nothing at the end."""
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
                raise BadInput(f"The record is not JSON, or longer than {MOST_ELEMENT} characters") from None
            window.more()
            continue
        written = window.text[window.at : read.end].translate(_ONE_LINE).encode()
        window.at = read.end
        if isinstance(read.value, dict):
            return Record(number, written, read.value, read.faults)
        return Record(number, written, None, [Fault("", "The record is not a JSON object")])


#: Line ends within JSON stand between its values only.
_ONE_LINE = {10: " ", 13: " "}


def dumps(content: dict[str, Any]) -> bytes:
    """Return an object without faults as one line. Whole numbers may be of any length."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def mentions(path: Path, mark: bytes) -> bool:
    """Return whether the file at a resolved path, unpacked if it is gzip, contains `mark`. Raises OSError.

    It is a quick look before the records are read. Of a damaged file it looks at what can be read.
    """
    with open_file(path) as file, suppress(gzip.BadGzipFile, zlib.error, EOFError):
        given = gzip.GzipFile(fileobj=file) if file_kinds.recognised(_head(file)) == file_kinds.GZIP else file
        before, left = b"", settings.IMPORT_MOST_BYTES
        while left > 0 and (block := given.read(BLOCK)):
            if mark in before + block:
                return True
            before, left = block[1 - len(mark) :], left - len(block)
    return False
