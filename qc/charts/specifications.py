"""The specifications of the charts, as plain Vega-Lite (version 6). They hold their numbers, and fetch nothing.

Colours are those of Okabe and Ito (2008), which colour-blind people can tell apart, and no chart depends on them: lines
and points are labelled where they are. `dress` adds what differs between a page and a file.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from annotation.answer_words import QUESTIONS
from qc.statistics.acceptance import Plan, Point

Json = dict[str, Any]

BLUE, VERMILLION = "#0072B2", "#D55E00"
#: A colour that follows the text of the page around the chart.
OF_THE_PAGE = "currentColor"
_HEIGHT = 220
_PERCENT = {"format": ".0%", "tickCount": 6}


def by_question(figures: Mapping[str, Any]) -> Json:
    """Return the chart of alpha by question, with intervals where there are some.

    figures: one of the two sets of the stored figures of agreement.
    """
    rows = [_row({"question": str(label)}, figures["questions"][key]["alpha"]) for key, label in QUESTIONS.items()]
    shown = [row for row in rows if row]
    y = {"field": "question", "type": "nominal", "sort": None, "axis": {"title": None, "labelLimit": 240}}
    x = {"field": "value", "type": "quantitative", "scale": {"nice": True, "zero": True}}
    axis = _axis(_("Krippendorff’s alpha")) | {"format": ".1f", "tickCount": 6}
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
                "mark": {"type": "point", "filled": True, "size": 90, "color": BLUE, "tooltip": {"content": "data"}},
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
    dated = x | {"axis": _axis(_("Week that begins on")) | {"format": "%Y-%m-%d", "labelOverlap": True, "tickCount": 6}}
    y = {"field": "value", "type": "quantitative", "axis": _axis(_("Krippendorff’s alpha"))}
    colors = {"domain": names, "range": [BLUE, VERMILLION]}
    color = {"field": "question", "type": "nominal", "legend": None, "scale": colors}
    shape = {"field": "question", "type": "nominal", "legend": None, "scale": {"domain": names}}
    described = ((f"{one['week']}, {one['question']}", one) for one in shown)
    return {
        "description": _described(_("Krippendorff’s alpha of the overall preferences by week"), described),
        "data": {"values": shown},
        "height": _HEIGHT,
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


def operating_curve(plan: Plan, points: Iterable[Point]) -> Json:
    """Return the operating curve of a lot, with the two shares of defects that its plan is made from."""
    terms, size = plan.terms, plan.size
    marks = {
        terms.good_defects(size): _("a good lot (AQL)"),
        terms.bad_defects(size): _("a bad lot (LTPD)"),
    }
    rows = [{"share": point.rate, "accepted": point.acceptance} for point in points]
    marked = [
        {"share": defects / size, "accepted": plan.acceptance(defects), "label": label}
        for defects, label in marks.items()
    ]
    x = {"field": "share", "type": "quantitative", "axis": _axis(_("Share of defects in the lot")) | _PERCENT}
    y = {"field": "accepted", "type": "quantitative", "scale": {"domain": [0, 1]}}
    y["axis"] = _axis(_("Probability that the lot is accepted")) | _PERCENT
    said = "; ".join(f"{one['label']}: {one['share']:.1%} → {one['accepted']:.1%}" for one in marked)
    title = _("Operating curve")
    return {
        "description": f"{title}. {said}",
        "height": _HEIGHT,
        "layer": [
            {
                "data": {"values": rows},
                "mark": {"type": "line", "strokeWidth": 2, "color": BLUE},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": marked},
                "mark": {"type": "point", "filled": True, "size": 90, "color": VERMILLION, "shape": "diamond"},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": marked},
                "mark": {"type": "text", "align": "left", "dx": 10, "dy": -6, "color": OF_THE_PAGE},
                "encoding": {"x": x, "y": y, "text": {"field": "label"}},
            },
        ],
    }


def dress(specification: Mapping[str, Any], *, text: str, background: str | None, width: int | str, font: str) -> Json:
    """Return the specification with the colours, the width and the font of where it is shown."""
    axis = {"labelColor": text, "titleColor": text, "domainColor": text, "tickColor": text, "gridColor": text}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        **_coloured(specification, text),
        "width": width,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": background,
        "config": {
            "font": font,
            "axis": axis | {"gridOpacity": 0.15, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"},
            "view": {"stroke": None},
            "text": {"fontSize": 12},
        },
    }


def _coloured(part: Any, text: str) -> Any:
    """Return the part with the colour of the text in place of `OF_THE_PAGE`."""
    if isinstance(part, Mapping):
        return {name: _coloured(value, text) for name, value in part.items()}
    if isinstance(part, list):
        return [_coloured(value, text) for value in part]
    return text if part == OF_THE_PAGE else part


def _axis(title: str) -> Json:
    """Return an axis with its title, which also describes it to screen readers: Vega has English sentences only."""
    return {"title": title, "description": title}


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
