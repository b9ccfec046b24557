"""The charts of agreement: by question, and over weeks."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from answers.words import QUESTIONS
from charts.catalogue import Chart
from charts.specifications import BLUE, HEIGHT, OF_THE_PAGE, VERMILLION, Json, named_axis
from figures import figure_jobs
from figures.models import StudyFigures
from studies.models import Study

AGREEMENT, WEEKS = "agreement", "weeks"


def of_agreement(study: Study, result: Mapping[str, Any], used: str) -> Chart:
    """Return the chart of agreement by question. used: `all` or `valid`."""
    return Chart(AGREEMENT, _page(study), f"answers={used}", by_question(result[used]))


def of_weeks(study: Study, result: Mapping[str, Any]) -> Chart | None:
    """Return the chart of agreement over weeks, or None if nothing can be shown."""
    made = over_weeks(result["groups"]["week"])
    return Chart(WEEKS, _page(study), "", made) if made["data"]["values"] else None


def _page(study: Study) -> str:
    return reverse("figures:agreement", args=[study.slug])


def newest_by_question(study: Study, query: Mapping[str, str]) -> Chart | None:
    """Return the chart of the newest figures of agreement, or None without figures."""
    newest = figure_jobs.newest(study, StudyFigures.Kind.AGREEMENT)
    return of_agreement(study, newest.result, "valid" if query.get("answers") == "valid" else "all") if newest else None


def newest_over_weeks(study: Study, query: Mapping[str, str]) -> Chart | None:
    """Return the chart over weeks of the newest figures of agreement, or None without figures."""
    newest = figure_jobs.newest(study, StudyFigures.Kind.AGREEMENT)
    return of_weeks(study, newest.result) if newest else None


def by_question(figures: Mapping[str, Any]) -> Json:
    """Return the chart of alpha by question, with intervals where there are some.

    figures: one of the two sets of the stored figures of agreement.
    """
    rows = [_row({"question": str(label)}, figures["questions"][key]["alpha"]) for key, label in QUESTIONS.items()]
    shown = [row for row in rows if row]
    y = {"field": "question", "type": "nominal", "sort": None, "axis": {"title": None, "labelLimit": 240}}
    x = {"field": "value", "type": "quantitative", "scale": {"nice": True, "zero": True}}
    axis = named_axis(_("Krippendorff’s alpha")) | {"format": ".1f", "tickCount": 6}
    return {
        "description": _described(_("Krippendorff’s alpha by question"), ((one["question"], one) for one in shown)),
        "data": {"values": shown},
        "height": {"step": 34},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 3, "color": BLUE},
                "transform": [{"filter": "isValid(datum.low)"}],
                "encoding": {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}, "y": y},
            },
            {
                "mark": {
                    "type": "point",
                    "filled": True,
                    "size": 90,
                    "color": BLUE,
                    "tooltip": {"content": "data"},
                },
                "encoding": {"x": x | {"axis": axis}, "y": y},
            },
            {
                "mark": {"type": "text", "dy": -12, "color": OF_THE_PAGE},
                "encoding": {"x": x, "y": y, "text": {"field": "value", "format": ".2f"}},
            },
        ],
    }


def over_weeks(weeks: Iterable[Mapping[str, Any]]) -> Json:
    """Return the chart of alpha of the two overall preferences over weeks, with a band for the interval.

    weeks: the groups by week of the stored figures of agreement.
    """
    rows = []
    for week in weeks:
        for key in ("helpfulness", "harmlessness"):
            about = {"week": week["name"], "question": str(QUESTIONS[key])}
            rows.append(_row(about, week["questions"][key]["alpha"]))
    shown = [row for row in rows if row]
    names = [str(QUESTIONS["helpfulness"]), str(QUESTIONS["harmlessness"])]
    x = {"field": "week", "type": "temporal", "scale": {"type": "utc"}}
    dated = x | {
        "axis": named_axis(_("Week that begins on")) | {"format": "%Y-%m-%d", "labelOverlap": True, "tickCount": 6}
    }
    y = {"field": "value", "type": "quantitative", "axis": named_axis(_("Krippendorff’s alpha"))}
    colors = {"domain": names, "range": [BLUE, VERMILLION]}
    color = {"field": "question", "type": "nominal", "legend": None, "scale": colors}
    shape = {"field": "question", "type": "nominal", "legend": None, "scale": {"domain": names}}
    described = ((f"{one['week']}, {one['question']}", one) for one in shown)
    return {
        "description": _described(_("Krippendorff’s alpha of the overall preferences by week"), described),
        "data": {"values": shown},
        "height": HEIGHT,
        "encoding": {"x": dated, "color": color},
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.2},
                "transform": [{"filter": "isValid(datum.low)"}],
                "encoding": {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
            },
            {"mark": {"type": "line", "strokeWidth": 2}, "encoding": {"y": y}},
            {
                "mark": {"type": "point", "filled": True, "size": 60, "tooltip": {"content": "data"}},
                "encoding": {"y": y, "shape": shape},
            },
            *(_last_label(name, dy, y) for name, dy in zip(names, (-12, 14), strict=True)),
        ],
    }


def _last_label(question: str, dy: int, y: Json) -> Json:
    """Return the label of a line, above or below its last point, so that two labels never cover each other."""
    return {
        "mark": {"type": "text", "align": "right", "dy": dy, "color": OF_THE_PAGE},
        "transform": [
            {"filter": {"field": "question", "equal": question}},
            {"joinaggregate": [{"op": "max", "field": "week", "as": "last"}]},
            {"filter": "datum.week == datum.last"},
        ],
        "encoding": {"y": y, "text": {"field": "question"}, "color": {"value": OF_THE_PAGE}},
    }


def _row(about: Mapping[str, Any], figure: Mapping[str, Any]) -> Json | None:
    """Return a figure as a row of a chart, or None if it is no number."""
    if isinstance(figure["value"], str):
        return None
    interval = figure["interval"]
    low, high = (None, None) if isinstance(interval, str) else interval
    return {**about, "value": figure["value"], "low": low, "high": high}


def _described(title: str, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    said = (
        f"{name}: {one['value']:z.2f}" + (f" ({one['low']:z.2f}–{one['high']:z.2f})" if one["low"] is not None else "")
        for name, one in rows
    )
    return f"{title}. {'; '.join(said)}"
