"""Read a JSON array, plain or gzipped, one element at a time."""

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, TextIO

from diptych_client.release_folder.errors import FolderError

#: Characters that are read in one step, and the most that one element can have.
BLOCK, MOST_ELEMENT = 1 << 18, 1 << 22
GZIP = b"\x1f\x8b"
SPACES = " \t\r\n"


def elements(path: Path) -> Iterator[Any]:
    """Yield the elements of the array in a file. Raise FolderError where the file is damaged or is no array."""
    try:
        with path.open("rb") as file:
            is_packed = file.read(2) == GZIP
            file.seek(0)
            read = gzip.GzipFile(fileobj=file) if is_packed else file
            with io.TextIOWrapper(read, encoding="utf-8-sig") as text:
                yield from _Array(text, path)
    except UnicodeDecodeError as error:
        raise FolderError(f"{path} is not UTF-8: {error.reason}. Download it again.") from error
    except (EOFError, zlib.error, OSError) as error:  # OSError: also what is not gzip to its end
        raise FolderError(f"{path} cannot be read to its end: {error}. Download it again.") from error


class _Array:
    """The elements of an array, and the part of its text that is in memory."""

    def __init__(self, file: TextIO, path: Path) -> None:
        self.file, self.path = file, path
        self.text, self.at, self.is_over = "", 0, False
        self.decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number)

    def __iter__(self) -> Iterator[Any]:
        if self._sign() != "[":
            raise FolderError(f"{self.path} is no JSON array. A config begins with [.")
        self.at += 1
        number, end = 0, self._sign()
        while end != "]":
            number += 1
            yield self._element(number)
            end = self._sign()
            if end not in ("]", ","):
                raise FolderError(f"{self.path} ends, or is damaged, after record {number}. Download it again.")
            self.at += end == ","
        self.at += 1
        if self._sign():
            raise FolderError(f"{self.path} has more text after the end of its array.")

    def _element(self, number: int) -> Any:
        self._sign()
        while True:
            try:
                value, end = self.decoder.raw_decode(self.text, self.at)
            except _Doubtful as doubt:
                raise FolderError(f"{self.path}, record {number}: {doubt}.") from None
            except (ValueError, RecursionError):
                if self.is_over or len(self.text) - self.at > MOST_ELEMENT:
                    raise FolderError(f"{self.path}, record {number} is not JSON, or is too long.") from None
                self._more()
                continue
            if end + len("e+1") > len(self.text) and not self.is_over:  # a number may go on in the next block
                self._more()
                continue
            self.at = end
            return value

    def _sign(self) -> str:
        """Return the next character that is not a space; empty at the end."""
        while True:
            while self.at < len(self.text):
                if self.text[self.at] not in SPACES:
                    return self.text[self.at]
                self.at += 1
            if self.is_over:
                return ""
            self._more()

    def _more(self) -> None:
        block = self.file.read(BLOCK)
        self.is_over = not block
        self.text, self.at = self.text[self.at :] + block, 0


class _Doubtful(Exception):
    """A value that programs read in different ways."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Doubtful("an object has one key twice")
    return found


def _no_number(word: str) -> NoReturn:
    raise _Doubtful(f"{word} is no JSON")
