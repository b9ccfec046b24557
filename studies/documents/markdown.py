"""Convert Markdown into sections with stable anchors, and into HTML that is safe in any page.

A heading of the second or third level that ends in `{#key}` begins a section. The key is the section's anchor. It stays
the same if the heading is reworded or translated. Other headings belong to the section around them.
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

#: HTML in the text is shown as text. Pictures are not allowed: texts are never illustrated with media.
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
TEXT_TAGS = {"a", "blockquote", "br", "code", "em", "hr", "li", "ol", "p", "pre", "strong", "ul"}
TAGS = TEXT_TAGS | {"table", "tbody", "td", "th", "thead", "tr"}
#: A link to another place of the same page does not open a new page.
STAYS_IN_PAGE = re.compile(r'(<a href="#[^"]*") target="_blank" rel="noopener noreferrer"')
SCHEMES = {"http", "https", "mailto"}


@dataclass(frozen=True, slots=True)
class Block:
    """A unit of comparison: a paragraph, a list item or a table. `frame` has the tags around its `html`."""

    frame: tuple[str, ...]
    html: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a text with its own heading. `level` is 2 or 3, or 1 for the part before the first heading."""

    key: str
    title: str
    level: int
    html: SafeString
    blocks: tuple[Block, ...]


@lru_cache(maxsize=128)
def sections(markdown: str) -> tuple[Section, ...]:
    """Return the sections of a text in order. The part before the first anchored heading has the key `""`."""
    return tuple(
        Section(key, title, level, html_of_tokens(tokens), tuple(blocks_of(tokens)))
        for key, title, level, tokens in parts(MARKDOWN.parse(markdown))
        if key or tokens
    )


def html_of(markdown: str) -> SafeString:
    """Return a whole text as HTML with its headings as bold lines, for texts that are read from top to bottom."""
    [(_, _, _, tokens)] = parts(MARKDOWN.parse(markdown), anchors=False)
    return html_of_tokens(tokens)


def html_of_tokens(tokens: Sequence[Token]) -> SafeString:
    """Return the cleaned HTML of some tokens."""
    return clean(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}))


def clean(html: str) -> SafeString:
    """Remove all other tags. Links to other pages open in a new tab, so that nobody loses the current pair."""
    cleaned = nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return mark_safe(STAYS_IN_PAGE.sub(r"\1", cleaned))  # noqa: S308  # cleaned above


def parts(tokens: Sequence[Token], *, anchors: bool = True) -> Iterator[tuple[str, str, int, list[Token]]]:
    """Yield key, title, level and tokens of each section. The title line of the text (`#`) is omitted."""
    key, title, level = "", "", 1
    collected: list[Token] = []
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.type != "heading_open" or token.level > 0:
            collected.append(token)
            position += 1
            continue
        words = plain(tokens[position + 1])
        anchored = ANCHORED.fullmatch(words)
        if anchored and anchors and token.tag in SECTION_LEVELS:
            yield key, title, level, collected
            key, title, level, collected = anchored["key"], anchored["title"], SECTION_LEVELS[token.tag], []
        elif token.tag == "h1" and not title and not collected:
            title = words
        else:
            collected += bold_line(anchored["title"] if anchored else words)
        position += 3  # heading_open, inline, heading_close
    yield key, title, level, collected


def plain(inline: Token) -> str:
    """Return the text of a line without its markup."""
    pieces = (" " if child.type == "softbreak" else child.content for child in inline.children or ())
    return "".join(pieces).strip()


def bold_line(words: str) -> list[Token]:
    """Return the tokens of a heading that begins no section."""
    bold = [Token("strong_open", "strong", 1), Token("text", "", 0, content=words), Token("strong_close", "strong", -1)]
    return [
        Token("paragraph_open", "p", 1, block=True),
        Token("inline", "", 0, children=bold, content=words, level=1, block=True),
        Token("paragraph_close", "p", -1, block=True),
    ]


def blocks_of(tokens: Sequence[Token]) -> Iterator[Block]:
    """Yield the top-level blocks. A list yields one block for each item."""
    for block in nested(tokens):
        outer = block[0].tag
        if outer in {"ul", "ol"}:
            yield from (Block((outer, "li"), html_of_tokens(item[1:-1]).strip()) for item in nested(block[1:-1]))
        elif outer == "p":
            yield Block(("p",), html_of_tokens(block[1:-1]).strip())
        else:
            yield Block((), html_of_tokens(block).strip())


def nested(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Yield each group of tokens from an opening token to its closing token."""
    depth, start = 0, 0
    for position, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            yield tokens[start : position + 1]
            start = position + 1
