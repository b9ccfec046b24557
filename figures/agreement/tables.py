"""The stored figures of agreement as tables: for the page, and as lines of a CSV file."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers.words import QUESTIONS
from diptych.downloads import CopyFile
from diptych.spreadsheet import write_rows
from studies.harms import HARMS

#: The two sets of answers that figures are made from.
ANSWERS: dict[str, str | Promise] = {
    "all": gettext_lazy("All first answers"),
    "valid": gettext_lazy("Only valid answers"),
}
GROUPS: dict[str, str | Promise] = {
    "week": gettext_lazy("Week"),
    "lot": gettext_lazy("Lot"),
    "language": gettext_lazy("Language of the prompt"),
    "prompt_type": gettext_lazy("Type of prompt"),
    "protocol_version": gettext_lazy("Protocol version"),
}
MEASURES: dict[str, str | Promise] = {
    "alpha": gettext_lazy("Krippendorff’s alpha"),
    "percent": gettext_lazy("Percent agreement"),
}
LABELS: dict[str, Any] = {harm.key: harm for harm in HARMS}

Json = Mapping[str, Any]


def preferences(figures: Json) -> list[dict[str, Any]]:
    """Return a line for each question: its name and its measures."""
    return [{"key": key, "label": label} | figures["questions"][key] for key, label in QUESTIONS.items()]


def tags(figures: Json) -> list[dict[str, Any]]:
    """Return a line for each tag: its label, its four counts and its measures."""
    return [{"label": LABELS[one["tag"]].label, "code": LABELS[one["tag"]].code} | one for one in figures["tags"]]


def groups(result: Json, kind: str, measure: str) -> list[dict[str, Any]]:
    """Return a line for each group of one kind: its name, the words for it, and one figure a question."""
    return [
        {
            "name": one["name"],
            "label": group_label(kind, one["name"]),
            "pairs": one["pairs"],
            "cells": [(key, one["questions"][key][measure]) for key in QUESTIONS],
            "masi": one["tag_sets"]["masi"],
        }
        for one in result["groups"][kind]
    ]


def group_label(kind: str, name: Any) -> str:
    """Return the words for one group of answers."""
    if kind == "lot":
        return _("Lot %(n)s") % {"n": name} if name else _("In no lot yet")
    if kind == "prompt_type":
        return _("safety-critical") if name == "safety_critical" else _("safety-neutral")
    return str(name)


COLUMNS = (
    *("answers_used", "group", "name", "subject", "measure", "value", "low", "high", "units", "answers"),
    *("given", "both", "first", "second", "neither"),
)


def copy_as_csv(result: Json, target: CopyFile) -> None:
    """Write one line for each figure. Where there is no number, the value is the word that says why.

    Raise OSError if the file cannot be written.
    """
    write_rows(COLUMNS, lines(result), target)


def lines(result: Json) -> Iterator[list[Any]]:
    """Return the lines of the CSV file."""
    for used in ANSWERS:
        part = result[used]
        yield from _brief(used, "", "", part)
        for one in part["tags"]:
            counts = [one["given"], *(one["counts"][name] for name in ("both", "first", "second", "neither"))]
            for measure in ("percent", "alpha", "ac1", "positive"):
                yield [used, "", "", one["tag"], measure, *_figure(one[measure]), *counts]
    for kind in GROUPS:
        for one in result["groups"][kind]:
            yield from _brief("all", kind, one["name"], one)


def _brief(used: str, kind: str, name: Any, part: Json) -> Iterator[list[Any]]:
    start, no_counts = [used, kind, name], [""] * 5
    for key in QUESTIONS:
        for measure in ("percent", "alpha", "ordinal"):
            if figure := part["questions"][key][measure]:
                yield [*start, key, measure, *_figure(figure), *no_counts]
    for measure in ("masi", "masi_tagged"):
        yield [*start, "tags", measure, *_figure(part["tag_sets"][measure]), *no_counts]
    yield [*start, "tags", "alpha", part["tag_sets"]["alpha"], "", "", "", "", *no_counts]


def _figure(figure: Json) -> list[Any]:
    interval = figure["interval"]
    low, high = interval if isinstance(interval, list | tuple) else (interval, interval)
    return [figure["value"], low, high, figure["units"], figure["answers"]]
