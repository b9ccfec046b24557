"""The documentation as tests read it: its pages, and the commands in them."""

from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from tests.production import ROOT

PAGES = sorted(
    [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md")]
    + list((ROOT / "docs").rglob("*.md"))
)


@dataclass(frozen=True)
class Block:
    """A block of code: the headings above it, its language (empty for commands), and its text."""

    page: Path
    headings: tuple[str, ...]
    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        """Return its lines without comments and empty lines, if it holds commands."""
        if self.language or self.text.lstrip().startswith("{"):
            return []
        return [line.split("  #")[0].strip() for line in self.text.splitlines() if line.strip()]


def blocks(page: Path) -> list[Block]:
    """Return the blocks of code of a page, in order."""
    found = []
    headings: list[str] = []
    tokens = MarkdownIt().parse(page.read_text())
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            level = int(token.tag[1:])
            headings[level - 1 :] = [""] * (level - 1 - len(headings)) + [tokens[index + 1].content]
        elif token.type in {"code_block", "fence"}:
            found.append(Block(page, tuple(headings), token.info.strip(), token.content))
    return found


def inline_code(page: Path) -> list[str]:
    """Return what is between backticks in the text of a page."""
    tokens = MarkdownIt().enable("table").parse(page.read_text())
    return [child.content for token in tokens for child in token.children or () if child.type == "code_inline"]


def commands(page: Path, *headings: str) -> list[str]:
    """Return the commands of the blocks below these headings. Fails if there are none."""
    found = [line for block in blocks(page) if block.headings[-len(headings) :] == headings for line in block.commands]
    assert found, f"{page} has no commands below {' / '.join(headings)}"
    return found


def code(page: Path, language: str, *headings: str) -> str:
    """Return the only block in a language below these headings."""
    [text] = [
        block.text
        for block in blocks(page)
        if block.language == language and block.headings[-len(headings) :] == headings
    ]
    return text
