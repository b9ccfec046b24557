"""The data card as Markdown and as HTML with the same content, and the file that says how to cite a release."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import nh3
from markdown_it import MarkdownIt

from release_card.sections import Section, of_card, title_of
from releases import licences
from releases.tables import Kind, Table

#: What has a meaning in Markdown, inside a line or at its beginning.
SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&:])")
LINES = re.compile(r"\s*[\r\n\u2028\u2029]+\s*")
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
TAGS = {"h1", "h2", "h3", "p", "ul", "li", "strong", "table", "thead", "tbody", "tr", "th", "td"}
#: A page that needs nothing else, light or dark as the reader has it.
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }}
table {{ display: block; overflow-x: auto; border-collapse: collapse; }}
th, td {{ padding: 0.2rem 0.8rem 0.2rem 0; text-align: start; border-bottom: 1px solid #8888; }}
</style>
</head>
<body>
{body}</body>
</html>
"""


def escaped(text: str) -> str:
    """Return a text as Markdown that shows it as it is, on one line."""
    return SPECIAL.sub(r"\\\1", LINES.sub(" ", text.strip()))


def markdown(numbers: Mapping[str, Any]) -> str:
    """Return the card as Markdown."""
    blocks = [f"# {escaped(title_of(numbers))}"]
    for section in of_card(numbers):
        blocks += _section(section)
    return "\n\n".join(blocks) + "\n"


def html(numbers: Mapping[str, Any], said: str) -> str:
    """Return the card as an HTML page. `said` is its Markdown: so both have the same content."""
    body = nh3.clean(MARKDOWN.render(said), tags=TAGS, attributes={})
    return PAGE.format(title=nh3.clean_text(title_of(numbers)), body=body)


def _section(section: Section) -> Iterable[str]:
    yield f"## {escaped(section.title)}"
    yield from map(escaped, section.said)
    if section.facts:
        yield "\n".join(f"- **{escaped(label)}**: {escaped(str(value))}" for label, value in section.facts)
    for title, table in section.tables:
        if table.rows:
            yield f"### {escaped(title)}"
            yield _table(table)


def _table(table: Table) -> str:
    lines = [
        _line(str(column.label) for column in table.columns),
        "|"
        + "|".join(" --- " if column.kind in {Kind.TEXT, Kind.GIVEN} else " ---: " for column in table.columns)
        + "|",
        *(_line(words for _column, _value, words in row) for row in table.shown()),
    ]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(escaped(cell) or "–" for cell in cells) + " |"


def citation(numbers: Mapping[str, Any]) -> str:
    """Return CITATION.cff (1.2.0). Its values are JSON texts, which are YAML too."""
    known = licences.known(numbers["licence"])
    spdx = known.spdx if known and not known.spdx.startswith("LicenseRef-") else None
    made_of = numbers["composition"]
    abstract = (
        f"Human preferences on text-to-video output: {numbers['counts']['answers']} answers on {made_of['pairs']} "
        f"pairs of videos for {made_of['prompts']} prompts. Licence: {numbers['licence']}."
    )
    lines = [
        "cff-version: 1.2.0",
        f"message: {_quoted('If you use this dataset, please cite it as below.')}",
        "type: dataset",
        f"title: {_quoted(numbers['title'])}",
        "authors:",
        f"  - name: {_quoted('The researchers and annotators of ' + numbers['title'])}",
        f"version: {_quoted(str(numbers['release']))}",
        f"date-released: {_quoted(numbers['frozen_on'])}",
        f"abstract: {_quoted(abstract)}",
        *([f"license: {_quoted(spdx)}"] if spdx else []),
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
