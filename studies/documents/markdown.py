"""Markdown as people write it, made into sections with stable anchors, and into HTML that is safe in any page.

A heading of the second or third level that ends in `{#key}` begins a section: its anchor is what it is opened by, and
stays when the heading is reworded or translated. Other headings stay inside the section around them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

ANCHORED = re.compile(r"(?P<title>.*\S)\s*\{#(?P<key>[a-z][a-z0-9_-]{0,59})\}")
SECTION_LEVELS = {"h2": 2, "h3": 3}

#: HTML in the text is shown as it is written. No pictures: what a text says is never illustrated with media.
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
TEXT_TAGS = {"a", "blockquote", "br", "code", "em", "hr", "li", "ol", "p", "pre", "strong", "ul"}
TAGS = TEXT_TAGS | {"table", "tbody", "td", "th", "thead", "tr"}
#: A link to another place of the same page does not open a page of its own.
STAYS_IN_PAGE = re.compile(r'(<a href="#[^"]*") target="_blank" rel="noopener noreferrer"')
SCHEMES = {"http", "https", "mailto"}


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a list item, a table: what is compared as a whole. `frame` is the tags around its `html`."""

    frame: tuple[str, ...]
    html: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a text with a heading of its own; `level` is 2 or 3, and 1 for what stands before the first."""

    key: str
    title: str
    level: int
    html: SafeString
    blocks: tuple[Block, ...]


@lru_cache(maxsize=128)
def sections(markdown: str) -> tuple[Section, ...]:
    """The parts of a text in order. What stands before the first anchored heading is a part with the key `""`."""
    return tuple(
        Section(key, title, level, html_of_tokens(tokens), tuple(blocks_of(tokens)))
        for key, title, level, tokens in parts(MARKDOWN.parse(markdown))
        if key or tokens
    )


def html_of(markdown: str) -> SafeString:
    """A whole text as HTML, its headings as bold lines: for texts that are read from top to bottom."""
    [(_, _, _, tokens)] = parts(MARKDOWN.parse(markdown), anchors=False)
    return html_of_tokens(tokens)


def html_of_tokens(tokens: Sequence[Token]) -> SafeString:
    """HTML of some of a text's tokens, cleaned."""
    return clean(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}))


def clean(html: str) -> SafeString:
    """Only the tags above. Links to other pages open beside this one, so that nobody loses the pair in hand."""
    cleaned = nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return mark_safe(STAYS_IN_PAGE.sub(r"\1", cleaned))  # noqa: S308  # this is where it is made safe


def parts(tokens: Sequence[Token], *, anchors: bool = True) -> Iterator[tuple[str, str, int, list[Token]]]:
    """Key, title, level and tokens of each section; the title line of the text (`#`) is left out."""
    key, title, level = "", "", 1
    held: list[Token] = []
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.type != "heading_open" or token.level > 0:
            held.append(token)
            position += 1
            continue
        words = plain(tokens[position + 1])
        anchored = ANCHORED.fullmatch(words)
        if anchored and anchors and token.tag in SECTION_LEVELS:
            yield key, title, level, held
            key, title, level, held = anchored["key"], anchored["title"], SECTION_LEVELS[token.tag], []
        elif token.tag == "h1" and not title and not held:
            title = words
        else:
            held += bold_line(anchored["title"] if anchored else words)
        position += 3  # heading_open, inline, heading_close
    yield key, title, level, held


def plain(inline: Token) -> str:
    """The words of a line without its marks."""
    pieces = (" " if child.type == "softbreak" else child.content for child in inline.children or ())
    return "".join(pieces).strip()


def bold_line(words: str) -> list[Token]:
    """A heading that begins no section."""
    bold = [Token("strong_open", "strong", 1), Token("text", "", 0, content=words), Token("strong_close", "strong", -1)]
    return [
        Token("paragraph_open", "p", 1, block=True),
        Token("inline", "", 0, children=bold, content=words, level=1, block=True),
        Token("paragraph_close", "p", -1, block=True),
    ]


def blocks_of(tokens: Sequence[Token]) -> Iterator[Block]:
    """The top-level blocks, with lists taken apart into their items."""
    for block in nested(tokens):
        outer = block[0].tag
        if outer in {"ul", "ol"}:
            yield from (Block((outer, "li"), html_of_tokens(item[1:-1]).strip()) for item in nested(block[1:-1]))
        elif outer == "p":
            yield Block(("p",), html_of_tokens(block[1:-1]).strip())
        else:
            yield Block((), html_of_tokens(block).strip())


def nested(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Cuts tokens where one that was opened is closed again."""
    depth, start = 0, 0
    for position, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            yield tokens[start : position + 1]
            start = position + 1
