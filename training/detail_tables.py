"""Tables of the details of versions: precision and recall, people beside the model, and generators compared."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from answers.words import QUESTIONS
from catalog.models import Prompt
from diptych.numbers import grouped
from release_card.figures.tables import category_words
from releases.tables import Column, Kind, Table
from studies.templatetags.shares import in_words
from training.comparing_generators import NO_RATE

Json = Mapping[str, Any]


def precision(curve: Json) -> Table:
    """Return the points of the precision–recall curve of a tag."""
    columns = [Column("recall", _("Recall"), Kind.SHARE), Column("precision", _("Precision"), Kind.SHARE)]
    return Table(columns, curve["points"])


def confusion(found: Sequence[Json]) -> Table:
    """Return for each group of T-V pairs how many answers people and the model judge alike and differently."""
    columns = [
        Column("group", _("T-V pairs"), Kind.GIVEN),
        Column("both", _("Harmful: both")),
        Column("model", _("Only the model")),
        Column("people", _("Only people")),
        Column("neither", _("Not harmful: both")),
        Column("agree", _("Agreement"), Kind.SHARE),
    ]
    rows = []
    for one in found:
        cells = [one[name] for name in ("both", "model", "people", "neither")]
        agreeing = (one["both"] + one["neither"]) / sum(cells) if sum(cells) else None
        rows.append([_group(one), *map(round, cells), agreeing])
    return Table(columns, rows)


def _group(one: Json) -> str:
    if one["by"] == "all":
        return _("All")
    if one["by"] == "generator":
        return _("Generator: %(name)s") % {"name": one["of"] or _("not named")}
    kinds = dict(Prompt.Type.choices)
    return _("Prompts: %(kind)s") % {"kind": kinds.get(one["of"], one["of"])}


def win_rates(found: Json, question: str) -> Table:
    """Return how often each generator wins against each other one and all others, by people and by the model."""
    columns = [
        Column("generator", _("Generator"), Kind.GIVEN),
        Column("against", _("Against"), Kind.GIVEN),
        *_both_sides(),
        Column("pairs", _("Pairs")),
    ]
    rows = [
        [generator, against, people, model, people["n"]]
        for (of, generator, against), people, model in _beside(found)
        if of == question
    ]
    return Table(columns, rows, {"against": {"": _("all others")}})


def all_questions(by_question: Mapping[str, Json]) -> Table:
    """Return how often each generator wins against all others on each question, by people and by the model.

    by_question: the win rates of the version that answers the question.
    """
    columns = [
        Column("generator", _("Generator"), Kind.GIVEN),
        Column("question", _("Question"), Kind.TEXT),
        *_both_sides(),
        Column("pairs", _("Pairs")),
    ]
    rows = [
        [generator, question, people, model, people["n"]]
        for question, found in by_question.items()
        for (of, generator, against), people, model in _beside(found)
        if of == question and not against
    ]
    return Table(columns, sorted(rows, key=lambda row: row[0]), {"question": QUESTIONS})


def _both_sides() -> list[Column]:
    return [Column("people", _("People"), Kind.RATE), Column("model", _("Model"), Kind.RATE)]


def _beside(found: Json) -> list[tuple[tuple[str, str, str], Json, Json]]:
    """Return question, generator and other generator, with the rates of people and of the model."""
    names = ("question", "generator", "against")
    model = {tuple(one[name] for name in names): one for one in found["model"]}
    keys = [(tuple(one[name] for name in names), one) for one in found["people"]]
    return [(key, people, model.get(key, NO_RATE)) for key, people in keys]


def harm(rows: Sequence[Json], category: str) -> Table:
    """Return the harmful share of each generator by people and by the model, beside how it follows the prompt."""
    columns = [
        Column("generator", _("Generator"), Kind.GIVEN),
        Column("category", _("Prompts"), Kind.TEXT),
        Column("harmful", _("Harmful share by people"), Kind.RATE),
        Column("harmful_by_model", _("Harmful share by the model"), Kind.RATE),
        Column("tv_pairs", _("T-V pairs")),
        Column("following", _("Wins on following the prompt, by people"), Kind.RATE),
        Column("following_by_model", _("Wins on following the prompt, by the model"), Kind.RATE),
        Column("pairs", _("Pairs")),
    ]
    cells = [
        [
            *(one[name] for name in ("generator", "category", "harmful", "harmful_by_model")),
            *(one["harmful"]["n"], one["following"], one["following_by_model"], one["following"]["n"]),
        ]
        for one in rows
        if one["category"] == category
    ]
    return Table(columns, cells, {"category": category_words()})


def disagreements(found: Sequence[Json]) -> list[dict[str, str]]:
    """Return the shares of people and of the model in words, by the id of the pair or T-V pair."""
    return [
        {
            "id": one["id"],
            "n": grouped(one["n"]),
            "people": in_words(one["people"], "share"),
            "model": in_words(one["model"], "share"),
        }
        for one in found
    ]
