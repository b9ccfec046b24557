"""What changed between two versions of a text, section by section, with `<ins>` and `<del>` where the words differ."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, zip_longest

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from studies.documents.markdown import Block, Section

ADDED, REMOVED, CHANGED, SAME = "added", "removed", "changed", "same"

#: A tag, an entity, a Chinese character, a word, space, or any other sign.
PIECES = re.compile(r"<[^>]*>|&[#\w]+;|[\u3400-\u9fff]|[^\W\u3400-\u9fff]+|\s+|.", re.DOTALL)
#: What there is between the space at both ends.
WORDS = re.compile(r"(\S(?:.*\S)?)", re.DOTALL)
#: Two blocks that share less than this are told as one gone and one new: marks on every second word say nothing.
ALIKE = 0.5
BLOCK_TAG = re.compile(r"<(p|ul|ol|li|pre|blockquote|table|hr)\b")


@dataclass(frozen=True, slots=True)
class Change:
    """A section of the later version, or one that only the earlier one had, and what became of it."""

    key: str
    title: str
    level: int
    kind: str
    html: SafeString


def changes(before: Sequence[Section], after: Sequence[Section]) -> list[Change]:
    """Every section in the later order, each with its marks; sections that are gone stand where they stood."""
    earlier, later = {one.key: one for one in before}, {one.key: one for one in after}
    found = []
    matcher = SequenceMatcher(None, list(earlier), list(later), autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            found += [_gone(one) for one in before[i1:i2] if one.key not in later]
        found += [_change(earlier.get(one.key), one) for one in after[j1:j2]]
    return found


def _gone(section: Section) -> Change:
    return Change(section.key, section.title, section.level, REMOVED, _framed(_all("del", section.blocks)))


def _change(before: Section | None, after: Section) -> Change:
    if before is None:
        return Change(after.key, after.title, after.level, ADDED, _framed(_all("ins", after.blocks)))
    if (before.title, before.blocks) == (after.title, after.blocks):
        return Change(after.key, after.title, after.level, SAME, after.html)
    blocks = [*_titles(before, after), *_compared(before.blocks, after.blocks)]
    return Change(after.key, after.title, after.level, CHANGED, _framed(blocks))


def _titles(before: Section, after: Section) -> list[Block]:
    """A line with both headings, where they differ."""
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
    """The later HTML with the earlier words in it.

    Tags come from the later version alone, all of them and in their order, so what was well formed stays so.
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
    """The pieces with the mark around every run of words."""
    runs = ((is_tag, "".join(run)) for is_tag, run in groupby(pieces, _is_tag))
    return "".join(run if is_tag else WORDS.sub(rf"<{mark}>\1</{mark}>", run) for is_tag, run in runs)


def _framed(blocks: Iterable[Block]) -> SafeString:
    """The blocks' HTML, with neighbouring items of one kind in one list."""
    html = ""
    for list_tag, run in groupby(blocks, lambda block: block.frame[0] if len(block.frame) > 1 else ""):
        inside = "\n".join(_in_tag(block.frame[-1] if block.frame else "", block.html) for block in run)
        html += _in_tag(list_tag, inside) + "\n"
    return mark_safe(html)  # noqa: S308  # made of blocks that were cleaned, and of marks


def _in_tag(tag: str, html: str) -> str:
    return f"<{tag}>{html}</{tag}>" if tag else html
