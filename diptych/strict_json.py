"""Read JSON so that no value changes on the way.

Most JSON readers silently keep the last of two equal keys, round long numbers and accept half of a character. This one
reports each such value by its field, so that its author can write it differently.
"""

import json
import re
from collections.abc import Iterator, Set
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

#: JSON readers agree on whole numbers up to this one (RFC 8259, section 6).
LARGEST_NUMBER = 2**53
#: A whole number within the bound has at most 16 digits and a sign.
MOST_CHARACTERS = 17
#: Python refuses to read longer whole numbers, since that would take too long.
MOST_DIGITS = 4_000
#: Escapes of NUL and of surrogates, which UTF-8 text cannot contain in another way.
_ESCAPES = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_SURROGATE = re.compile("[\ud800-\udfff]")
IN_QUOTES = "Write it in quotation marks"


class Fault(NamedTuple):
    """A value that would be changed on the way: its field, with dots for nested objects, and the reason."""

    field: str
    reason: str


class Read(NamedTuple):
    """The value that was read, its faults, and the index of the first character after it."""

    value: Any
    faults: list[Fault]
    end: int


def loads(text: str, *, digits_kept: Set[str] = frozenset()) -> tuple[Any, list[Fault]]:
    """Return the value of a whole text, and its faults. Raises ValueError with the reason if it is not JSON."""
    start = len(text) - len(text.lstrip(" \t\r\n"))
    value, faults, end = raw_decode(text, start, digits_kept=digits_kept)
    if text[end:].strip(" \t\r\n"):
        raise ValueError(f"there is more text after the end of the value (column {end + 1})")
    return value, faults


def raw_decode(text: str, start: int, *, digits_kept: Set[str] = frozenset()) -> Read:
    """Read the value that begins at `start`. Raises ValueError with the reason where it is not JSON, or not whole.

    Args:
        digits_kept: fields of the outermost object whose whole numbers may have any length, since all their digits are
            kept.
    """
    try:
        with suppress(_Doubtful):
            value, end = _QUICK.raw_decode(text, start)
            if not _ESCAPES.search(text, start, end):
                return Read(value, [], end)
        tree, end = _SLOW.raw_decode(text, start)
        faults = list(dict.fromkeys(_faults(tree, (), digits_kept)))
        return Read(_plain(tree), faults, end)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} (column {error.colno})") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


class _Doubtful(Exception):
    """The quick reader found a value that may not survive as it was written."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Doubtful
    return found


def _whole(written: str) -> int:
    if len(written) > MOST_CHARACTERS or written == "-0" or abs(number := int(written)) > LARGEST_NUMBER:
        raise _Doubtful
    return number


def _fraction(written: str) -> float:
    number = float(written)
    if repr(number) != written and _fraction_fault(written):
        raise _Doubtful
    if abs(number) > LARGEST_NUMBER or (not number and written.startswith("-")):
        raise _Doubtful
    return number


def _doubtful(_written: str) -> Any:
    raise _Doubtful


class _Pairs(list[tuple[str, Any]]):
    """An object with all its keys, duplicates included."""


class _Number(str):
    """A number as it was written."""


_QUICK = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_whole, parse_float=_fraction, parse_constant=_doubtful)
_SLOW = json.JSONDecoder(object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number, parse_constant=_Number)


def _plain(tree: Any) -> Any:
    """Return the value as other readers return it."""
    if isinstance(tree, _Pairs):
        return {key: _plain(value) for key, value in tree}
    if isinstance(tree, list):
        return [_plain(value) for value in tree]
    if isinstance(tree, _Number):
        is_whole = tree.lstrip("-").isdecimal() and len(tree) <= MOST_DIGITS
        return int(tree) if is_whole else float(tree)
    return tree


def _faults(tree: Any, path: tuple[str, ...], digits_kept: Set[str]) -> Iterator[Fault]:
    if isinstance(tree, _Pairs):
        seen = set()
        for key, value in tree:
            inner = (*path, readable(key))
            if key in seen:
                yield Fault(".".join(inner), "is there twice in one object. Keep one of the two")
            seen.add(key)
            yield from (Fault(".".join(inner), reason) for reason in _text_faults(key))
            yield from _faults(value, inner, digits_kept)
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _faults(value, (*path, str(index)), digits_kept)
    else:
        is_kept = len(path) == 1 and path[0] in digits_kept
        reasons = _number_faults(tree, is_kept) if isinstance(tree, _Number) else _text_faults(tree)
        yield from (Fault(".".join(path), reason) for reason in reasons)


def _text_faults(value: Any) -> Iterator[str]:
    if not isinstance(value, str):
        return
    if "\0" in value:
        yield "contains the NUL character, which the database cannot store"
    if half := _SURROGATE.search(value):
        yield (
            f"contains half of a character (\\u{ord(half[0]):04x}), as when a text is cut inside an emoji. "
            "Write the whole character, or leave it out"
        )


def _number_faults(written: str, digits_are_kept: bool) -> Iterator[str]:
    shown = written if len(written) <= 40 else f"{written[:20]}…{written[-10:]}"
    if not written.lstrip("-")[0].isdecimal():
        yield f"is {written}, which is not JSON. Leave out the field, or write the value in quotation marks"
    elif written.lstrip("-").isdecimal():
        if written == "-0":
            yield "is -0, which would become 0. Write 0, or -0 in quotation marks"
        elif len(written) > MOST_DIGITS:
            yield f"is a number of {len(written)} digits. At most {MOST_DIGITS} are read"
        elif not digits_are_kept and abs(int(written)) > LARGEST_NUMBER:
            yield f"is {shown}, beyond ±2^53, where programs no longer keep every digit. {IN_QUOTES}"
    elif reason := _fraction_fault(written):
        yield f"is {shown}, {reason}. {IN_QUOTES}"


def _fraction_fault(written: str) -> str:
    """Return what would happen to a number with a point or an exponent. Return "" if it is kept exactly."""
    number = float(written)
    if abs(number) > LARGEST_NUMBER:
        return "beyond ±2^53, where programs disagree about numbers"
    if not number and written.startswith("-"):
        return "which would lose its sign"
    try:
        exact = Decimal(written)
        # Many programs write 17 digits of each number. That is enough to read the same number again.
        kept = exact in (Decimal(repr(number)), Decimal(f"{number:.17g}"))
    except InvalidOperation:
        kept = False
    return "" if kept else f"which has more digits than programs keep: it would become {number!r}"


def readable(text: str) -> str:
    """Return the text with a mark in place of what neither a report nor the database can contain."""
    return _SURROGATE.sub("�", text.replace("\0", "�"))
