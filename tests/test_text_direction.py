"""Text that people wrote has a direction of its own, in every template."""

import re
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.template import Template
from django.template.context import Context

#: Expressions of templates whose value somebody typed, uploaded or imported.
WRITTEN_BY_PEOPLE = re.compile(
    r"\b(study\.title|username|get_full_name|email|prompt\.(text|source_detail|labelled_by|cluster)|licence|terms|generator|generator_version"
    r"|video_text|refined_by|seed|pair\.held|change\.(after|before|who)|row\.before|(quarantine|act|file)\.reason|to_whom|reference"
    r"|token\.name|made\.row\.name|(row|file)\.file|file\.name|job\.location|asked_by|(one|newer)\.by|comment|part\.title"
    r"|origin\.name|fact\.value|help_contact|row\.studies|row\.id|selection_model)$"
)
OUTPUT = re.compile(
    r"\{\{\s*(?P<value>[^}]+?)\s*\}\}|\{%\s*blocktrans\w*\b(?P<named>[^%]*)%\}|\{%\s*firstof (?P<any>[^%]+)%\}"
)
NAMED = re.compile(r"\w+=(\S+)")
#: Places where markup is impossible: titles of windows, attributes, choices of a list.
NO_MARKUP = re.compile(r"(<(option|textarea|title)\b[^>]*>[^<]*|<[^<>]*)$")
ONE_LINE_BLOCK = re.compile(r"\{% block ((page_|list_)?title|page_name) %\}.*$")
ATTRIBUTES = re.compile(r"\{% block body_attributes %\}(?:(?!\n\{% block header).)*$", re.DOTALL)
TAGS = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)
TEMPLATES = sorted(path for folder in settings.TEMPLATES[0]["DIRS"] for path in Path(folder).rglob("*.html"))


def written_by_people(source: str) -> list[tuple[int, str]]:
    """Yield the place and the expression of each such value that a template prints."""
    found = []
    for match in OUTPUT.finditer(source):
        expressions = [match["value"]] if match["value"] else NAMED.findall(match["named"] or "")
        expressions += (match["any"] or "").split()
        found += [(match.start(), one) for one in expressions if WRITTEN_BY_PEOPLE.search(one.split("|")[0])]
    return found


def has_own_direction(source: str, at: int, expression: str) -> bool:
    """Return whether the value is isolated, or is alone in an element with `dir="auto"`, or markup is impossible."""
    if "isolated" in expression.split("|") or "urlencode" in expression:
        return True
    before = source[:at]
    if ONE_LINE_BLOCK.search(before.rpartition("\n")[2]) or ATTRIBUTES.search(before):
        return True
    markup = TAGS.sub("", before)
    opened = re.findall(r"<[a-z][^<>]*>", markup)
    return bool(NO_MARKUP.search(markup)) or (bool(opened) and 'dir="auto"' in opened[-1])


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_what_people_wrote_is_isolated(path):
    source = path.read_text("utf-8")
    bare = [
        (source.count("\n", 0, at) + 1, one)
        for at, one in written_by_people(source)
        if not has_own_direction(source, at, one)
    ]
    assert bare == [], 'Write {{ value|isolated }}, or dir="auto" on an element that holds nothing else.'


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("אבג <b>", '<bdi dir="auto">אבג &lt;b&gt;</bdi>'),
        ("GPU قطة", '<bdi dir="auto">GPU قطة</bdi>'),
        ("file \u202egpj.exe", '<bdi dir="auto">file \u202egpj.exe</bdi>'),
        ("Ada & 李", "Ada &amp; 李"),
        (None, ""),
        ("", ""),
    ],
)
def test_the_filter_isolates_what_would_reorder_the_words_around_it(text, rendered):
    assert Template("{{ text|isolated }}").render(Context({"text": text})) == rendered


class Form(forms.Form):
    name = forms.CharField()
    note = forms.CharField(widget=forms.Textarea)


def test_a_text_field_takes_the_direction_of_what_is_typed():
    form = Form({"name": 'a "b"', "note": "\nx<"})
    assert str(form["name"]).startswith('<input type="text" name="name" dir="auto" value="a &quot;b&quot;"')
    assert str(form["note"]).startswith('<textarea name="note" dir="auto"')
    assert str(form["note"]).endswith(">\n\nx&lt;</textarea>")
