"""Compare two versions of a text section by section. Words that differ are marked with `<ins>` and `<del>`."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, zip_longest

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from studies.documents.markdown import Block, Section

ADDED, REMOVED, CHANGED, SAME = "added", "removed", "changed", "same"

#: A tag, an entity, a Chinese character, a word, white space, or any other character.
PIECES = re.compile(r"<[^>]*>|&[#\w]+;|[\u3400-\u9fff]|[^\W\u3400-\u9fff]+|\s+|.", re.DOTALL)
#: A text without the white space at both ends.
WORDS = re.compile(r"(\S(?:.*\S)?)", re.DOTALL)
#: Two blocks that are less alike than this count as one removed and one added. Marks on every second word do not help.
ALIKE = 0.5
BLOCK_TAG = re.compile(r"<(p|ul|ol|li|pre|blockquote|table|hr)\b")


@dataclass(frozen=True, slots=True)
class Change:
    """A section of either version, and how it changed."""

    key: str
    title: str
    level: int
    kind: str
    html: SafeString


def changes(before: Sequence[Section], after: Sequence[Section]) -> list[Change]:
    """Return every section with its marks, in the later order. Removed sections keep their place."""
    earlier, later = {one.key: one for one in before}, {one.key: one for one in after}
    found = []
    matcher = SequenceMatcher(None, list(earlier), list(later), autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            found += [_removed(one) for one in before[i1:i2] if one.key not in later]
        found += [_change(earlier.get(one.key), one) for one in after[j1:j2]]
    return found


def _removed(section: Section) -> Change:
    return Change(section.key, section.title, section.level, REMOVED, _framed(_all("del", section.blocks)))


def _change(before: Section | None, after: Section) -> Change:
    if before is None:
        return Change(after.key, after.title, after.level, ADDED, _framed(_all("ins", after.blocks)))
    if (before.title, before.blocks) == (after.title, after.blocks):
        return Change(after.key, after.title, after.level, SAME, after.html)
    blocks = [*_titles(before, after), *_compared(before.blocks, after.blocks)]
    return Change(after.key, after.title, after.level, CHANGED, _framed(blocks))


def _titles(before: Section, after: Section) -> list[Block]:
    """Return a line with both headings if they differ."""
    if before.title == after.title:
        return []
    return [Block(("p",), _words(escape(before.title), escape(after.title)))]


def _all(mark: str, blocks: Iterable[Block]) -> Iterator[Block]:
    return (Block(block.frame, f"<{mark}>{block.html}</{mark}>") for block in blocks)


def _compared(before: Sequence[Block], after: Sequence[Block]) -> Iterator[Block]:
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from after[j1:j2]
            continue
        for old, new in zip_longest(before[i1:i2], after[j1:j2]):
            if old and new and _alike(old, new):
                yield Block(new.frame, _words(old.html, new.html))
                continue
            yield from _all("del", [old] if old else [])
            yield from _all("ins", [new] if new else [])


def _alike(old: Block, new: Block) -> bool:
    if old.frame != new.frame or BLOCK_TAG.search(old.html + new.html):
        return False
    return SequenceMatcher(None, _pieces(old.html), _pieces(new.html), autojunk=False).ratio() >= ALIKE


def _pieces(html: str) -> list[str]:
    return PIECES.findall(html)


def _words(old: str, new: str) -> str:
    """Return the later HTML with the removed words of the earlier one in it.

    All tags come from the later version, in their order. Therefore the HTML stays well formed.
    """
    before, after = _pieces(old), _pieces(new)
    html = ""
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            html += "".join(after[j1:j2])
            continue
        html += _marked("del", [piece for piece in before[i1:i2] if not _is_tag(piece)])
        html += _marked("ins", after[j1:j2])
    return html


def _is_tag(piece: str) -> bool:
    return piece.startswith("<")


def _marked(mark: str, pieces: Iterable[str]) -> str:
    """Return the pieces, with the mark around every run of words."""
    runs = ((is_tag, "".join(run)) for is_tag, run in groupby(pieces, _is_tag))
    return "".join(run if is_tag else WORDS.sub(rf"<{mark}>\1</{mark}>", run) for is_tag, run in runs)


def _framed(blocks: Iterable[Block]) -> SafeString:
    """Return the HTML of the blocks, with neighbouring items of the same kind in one list."""
    html = ""
    for list_tag, run in groupby(blocks, lambda block: block.frame[0] if len(block.frame) > 1 else ""):
        inside = "\n".join(_in_tag(block.frame[-1] if block.frame else "", block.html) for block in run)
        html += _in_tag(list_tag, inside) + "\n"
    return mark_safe(html)  # noqa: S308  # made of cleaned blocks and of marks


def _in_tag(tag: str, html: str) -> str:
    return f"<{tag}>{html}</{tag}>" if tag else html
