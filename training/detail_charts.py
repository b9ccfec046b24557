"""Charts of the details of versions: precision and recall of a tag, and generators compared."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from answers.words import QUESTIONS
from charts.catalogue import Chart
from charts.specifications import BLUE, OF_THE_PAGE, PERCENT, VERMILLION, Json, named_axis
from release_card.figures.charts import bounded, matrix, percent, shares
from studies.models import Study
from training import comparing_generators as comparing
from training import registry_words as words
from training.models import ModelVersion

PRECISION, WINS, QUESTIONS_OF, HARM = "model-precision", "generator-wins", "generator-questions", "generator-harm"


def precision_in(study: Study, query: Mapping[str, str]) -> Chart | None:
    """Return the precision–recall curve of the version and tag in an address, or None."""
    asked = query.get("version", "")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        return None
    found = ModelVersion.objects.filter(study=study, pk=int(asked)).first()
    return precision(study, found, query.get("tag", "")) if found else None


def precision(study: Study, version: ModelVersion, tag: str) -> Chart | None:
    """Return the precision–recall curve of a tag, beside its prevalence. None: it is not defined."""
    curve = (version.details or {}).get("precision", {}).get(tag)
    if not curve or not curve["points"]:
        return None
    page = reverse("models:version", args=[study.slug, version.family_id, version.number])
    return Chart(PRECISION, page, f"version={version.pk}&tag={tag}", _curve(tag, curve))


def _curve(tag: str, curve: Mapping[str, Any]) -> Json:
    points = [{"recall": recall, "precision": value} for recall, value in curve["points"]]
    prevalence = curve["positives"] / curve["n"]
    domain = {"scale": {"domain": [0, 1]}, "type": "quantitative"}
    x = domain | {"field": "recall", "axis": named_axis(_("Recall")) | PERCENT}
    y = domain | {"field": "precision", "axis": named_axis(_("Precision")) | PERCENT}
    name = _("Prevalence: %(share)s") % {"share": f"{prevalence:.1%}"}
    rule = {"precision": prevalence, "recall": 0.01, "name": name}
    said = "; ".join(f"{one['recall']:.0%}: {one['precision']:.0%}" for one in points[3::4])
    return {
        "description": _("Precision and recall: %(tag)s") % {"tag": words.tag(tag)} + f". {name}. {said}",
        "data": {"values": points},
        "height": 240,
        "layer": [
            {
                "data": {"values": [rule]},
                "mark": {"type": "rule", "strokeDash": [4, 4], "color": VERMILLION, "strokeWidth": 2},
                "encoding": {"y": y},
            },
            {
                "data": {"values": [rule]},
                "mark": {"type": "text", "align": "left", "dy": -8, "color": OF_THE_PAGE},
                "encoding": {"x": x, "y": y, "text": {"field": "name"}},
            },
            {"mark": {"type": "line", "color": BLUE, "strokeWidth": 2}, "encoding": {"x": x, "y": y}},
            {
                "mark": {"type": "point", "filled": True, "opacity": 1, "size": 30, "color": BLUE}
                | {"tooltip": {"content": "data"}},
                "encoding": {"x": x, "y": y},
            },
        ],
    }


def wins_in(study: Study, query: Mapping[str, str]) -> Chart | None:
    """Return the matrix of win rates of the question and side in an address, or None."""
    question = comparing.chosen_question(query)
    version = comparing.version_for(study, question)
    return wins(study, version, question, comparing.side(query)) if version else None


def wins(study: Study, version: ModelVersion, question: str, side: str) -> Chart | None:
    """Return how often each generator (row) wins against each other one (column), by people or by the model."""
    found = comparing.win_rates(version)
    rows = [
        {"row": one["generator"], "column": one["against"], "value": one["value"], "words": percent(one["value"])}
        | _interval(one)
        for one in found[side]
        if one["question"] == question and one["against"]
    ]
    names = comparing.names(version)
    title = f"{_title(side)}: {QUESTIONS[question]}"
    return _chart(study, WINS, f"question={question}&by={side}", rows, matrix(title, rows, (names, names), (0, 0.5, 1)))


def questions_in(study: Study, query: Mapping[str, str]) -> Chart | None:
    """Return the win rates on all questions, by the side in an address, or None."""
    return questions(study, comparing.by_question(study), comparing.side(query))


def questions(study: Study, by_question: Mapping[str, Mapping[str, Any]], side: str) -> Chart | None:
    """Return how often each generator (row) wins against all others on each question (column)."""
    rows = [
        {"row": one["generator"], "column": str(QUESTIONS[question]), "value": one["value"]}
        | {"words": percent(one["value"])}
        | _interval(one)
        for question, found in by_question.items()
        for one in found[side]
        if one["question"] == question and not one["against"]
    ]
    order = sorted({one["row"] for one in rows}), [str(QUESTIONS[one]) for one in by_question]
    made = matrix(_title(side), rows, order, (0, 0.5, 1))
    return _chart(study, QUESTIONS_OF, f"by={side}", rows, made)


def harm_in(study: Study, query: Mapping[str, str]) -> Chart | None:
    """Return harm by generator on the group of prompts in an address, or None."""
    found = comparing.harm(study)
    return harm(study, found.rows, comparing.chosen_category(query)) if found else None


def harm(study: Study, found: Sequence[Mapping[str, Any]], category: str) -> Chart | None:
    """Return the harmful share of each generator by people and model, beside how it follows the same prompts."""
    kinds = {
        "harmful": _("Harmful, by people"),
        "harmful_by_model": _("Harmful, by the model"),
        "following": _("Follows the prompt, by people"),
        "following_by_model": _("Follows the prompt, by the model"),
    }
    rows = [
        {"generator": one["generator"], "of": name} | mark
        for one in found
        if one["category"] == category
        for key, name in kinds.items()
        if (mark := bounded(one[key]))
    ]
    present = [name for name in kinds.values() if any(row["of"] == name for row in rows)]
    made = shares(_("Harm by generator"), rows, "generator", ("of", present))
    return _chart(study, HARM, f"category={category}", rows, made)


def _chart(study: Study, name: str, query: str, rows: Sequence[Any], specification: Json) -> Chart | None:
    if not rows:
        return None
    return Chart(name, reverse("models:generators", args=[study.slug]), query, specification)


def _title(side: str) -> str:
    return _("Win rates by people") if side == "people" else _("Win rates by the model")


def _interval(figure: Mapping[str, Any]) -> Json:
    """Return the interval for the tooltip of a cell, if there is one."""
    if not isinstance(figure["interval"], list):
        return {}
    low, high = figure["interval"]
    return {"low": low, "high": high}
