"""The charts of a release: Vega-Lite from its stored figures, for the page and for files."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from answers.words import QUESTIONS
from charts.catalogue import Chart
from charts.specifications import BLUE, OF_THE_PAGE, PERCENT, VERMILLION, Json, named_axis
from release_card.figures import tables
from release_card.figures.tables import HARM_WORDS, SAFE
from releases.charts import PREFIX, ROOM_FOR_LABELS, STEP
from releases.models import Release
from studies.templatetags.shares import in_words

#: Height of a line of numbers in pixels, and the ticks of an axis of shares that reaches the end.
LINE = 17
FIFTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)

#: Question, and group of prompts, of a chart whose address does not say them.
QUESTION, CATEGORY = "helpfulness", "all"
#: Of the shares of a row.
COLOURS, SHAPES = [BLUE, VERMILLION, "#009E73", "#CC79A7"], ["circle", "square", "diamond", "triangle-up"]


def of_release(release: Release, name: str, numbers: Mapping[str, Any], query: Mapping[str, str]) -> Chart | None:
    """Return a chart of a release from its numbers, or None if there is nothing to show."""
    made = _MAKERS[name](numbers, query) if name in _MAKERS else None
    if made is None or not made["data"]["values"]:
        return None
    page = reverse("release_card:figures", args=[release.study.slug, release.number])
    more = f"&question={chosen_question(query)}" if name == "win-rates" else ""
    more += f"&category={chosen_category(query)}" if name == "harm" else ""
    return Chart(f"{PREFIX}{name}", page, f"release={release.number}{more}", made)


def chosen_question(query: Mapping[str, str]) -> str:
    """Return the question in an address, or the first one that is shown."""
    return query.get("question", "") if query.get("question", "") in QUESTIONS else QUESTION


def chosen_category(query: Mapping[str, str]) -> str:
    """Return the group of prompts in an address, or all prompts."""
    return query.get("category", "") if query.get("category", "") in tables.category_words() else CATEGORY


def tag_shares(numbers: Mapping[str, Any], query: Mapping[str, str]) -> Json:
    """Return the shares of tags: a mark for prompts beside one for T-V pairs."""
    tags, names = tables.tag_words(), {"prompts": _("Prompts"), "tv_pairs": _("T-V pairs")}
    rows = []
    for key in (*HARM_WORDS, SAFE):
        for of, name in names.items():
            found = numbers["figures"]["tag_shares"][of]
            number = found[SAFE] if key == SAFE else found["given"][key]
            if found["n"]:
                rows.append({"tag": str(tags[key]), "of": name, "value": number / found["n"], "n": found["n"]})
    return shares(_("Shares of tags"), rows, "tag", ("of", list(names.values())))


def prompt_tags(numbers: Mapping[str, Any], query: Mapping[str, str]) -> Json:
    """Return the correlations of the labels of prompts."""
    return _tags(_("Correlations between prompt labels"), numbers["figures"]["tag_correlations"]["prompts"])


def tv_tags(numbers: Mapping[str, Any], query: Mapping[str, str]) -> Json:
    """Return the correlations of the tags of T-V pairs."""
    return _tags(_("Correlations between tags of T-V pairs"), numbers["figures"]["tag_correlations"]["tv_pairs"])


def _tags(title: str, found: Mapping[str, Any]) -> Json:
    codes: dict[str, str | Promise] = {key: harm.code for key, harm in HARM_WORDS.items()}
    return _triangle(title, found["rows"] if found["n"] else [], tables.tag_words(), codes)


def preferences(numbers: Mapping[str, Any], query: Mapping[str, str]) -> Json:
    """Return the correlations of the six questions."""
    found = numbers["figures"]["preference_correlations"]
    return _triangle(_("Correlations between questions"), found["rows"] if found["n"] else [], QUESTIONS, QUESTIONS)


def win_rates(numbers: Mapping[str, Any], query: Mapping[str, str]) -> Json:
    """Return how often each generator (row) wins against each other one (column), on one question."""
    question = chosen_question(query)
    rows = [
        {"row": one["generator"], "column": one["against"], "value": one["value"], "words": percent(one["value"])}
        for one in numbers["figures"]["win_rates"]
        if one["question"] == question and one["against"]
    ]
    title = _("Win rates: %(question)s") % {"question": QUESTIONS[question]}
    names = numbers["figures"]["generators"]["compared"]
    return matrix(title, rows, (names, names), (0, 0.5, 1))


def harm(numbers: Mapping[str, Any], query: Mapping[str, str]) -> Json:
    """Return by generator the harmful share beside how often it wins on following the prompt."""
    category = chosen_category(query)
    names = {"harmful": _("Harmful share"), "following": _("Wins on following the prompt")}
    rows = [
        {"generator": one["generator"], "of": name} | mark
        for one in numbers["figures"]["harm"]
        if one["category"] == category
        for key, name in names.items()
        if (mark := bounded(one[key]))
    ]
    return shares(_("Harm by generator"), rows, "generator", ("of", list(names.values())))


def labellers(numbers: Mapping[str, Any], query: Mapping[str, str]) -> Json:
    """Return how often each program agrees with people on each question."""
    name = _("Agreement")
    rows = [
        {"labeller": f"{_called(one)}: {QUESTIONS[one['question']]}", "of": name} | mark
        for one in numbers["figures"]["labellers"]
        if (mark := bounded(one))
    ]
    return shares(_("Programs compared with people"), rows, "labeller", ("of", [name]))


def _called(labeller: Mapping[str, str]) -> str:
    """Return the labeller with its version, its setting, and the name of its label if that is no question."""
    program = f"{labeller['labeller']} {labeller['version']}".strip()
    named = "" if labeller["name"] in QUESTIONS else labeller["name"]
    return ", ".join(filter(None, (program, labeller["setting"], named)))


def percent(value: float | str) -> str:
    """Return a share as a cell of `matrix` has it."""
    return in_words(value, "share") if isinstance(value, str) else f"{value:.0%}"


def bounded(figure: Mapping[str, Any]) -> Json | None:
    """Return a figure as a mark of `shares`, or None if it is not defined."""
    if isinstance(figure["value"], str):
        return None
    low, high = figure["interval"] if isinstance(figure["interval"], list) else (None, None)
    return {"value": figure["value"], "low": low, "high": high, "n": figure["n"]}


def shares(title: str, rows: list[Json], y_name: str, kinds: tuple[str, list[str]]) -> Json:
    """Return up to four shares for each row, told apart by shape, colour and place, with intervals where there are.

    Args:
        rows: each with `value`, perhaps `low` and `high`, and the two fields that are named next.
        y_name: the field of the row.
        kinds: the field that tells the shares of a row apart, and its values.
    """
    field, names = kinds
    y = {"field": y_name, "type": "nominal", "sort": None, "axis": {"title": None, "labelLimit": 220}}
    scale = {"domain": names, "range": COLOURS[: len(names)]}
    common = {
        "y": y,
        "yOffset": {"field": field, "type": "nominal", "scale": {"domain": names}},
        "color": {"field": field, "type": "nominal", "scale": scale, "legend": None},
    }
    most = max((value for one in rows for value in (one["value"], one.get("high") or 0)), default=1)
    x = {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": [0, max(most, 0.01) * ROOM_FOR_LABELS], "nice": False},
        # The room for numbers goes beyond 100 %, and the axis does not.
        "axis": named_axis(_("Share")) | PERCENT | ({"values": FIFTHS} if most > FIFTHS[-2] else {}),
    }
    shapes = {"domain": names, "range": SHAPES[: len(names)]}
    legend = {"title": None, "orient": "top", "columns": 2, "labelColor": OF_THE_PAGE}
    legend |= {"labelFontSize": 12, "labelLimit": 300}
    return {
        "description": _described(title, ((f"{one[y_name]}, {one[field]}", one["value"]) for one in rows)),
        "data": {"values": rows},
        "height": {"step": max(STEP, LINE * len(names)), "for": "position"},
        "layer": [
            *([_rule(common)] if any(one.get("low") is not None for one in rows) else []),
            {
                "mark": {"type": "point", "filled": True, "opacity": 1, "size": 70, "tooltip": {"content": "data"}},
                "encoding": common
                | {
                    "x": x,
                    "shape": {"field": field, "type": "nominal", "scale": shapes, "legend": legend},
                    "color": {"field": field, "type": "nominal", "scale": scale, "legend": legend},
                },
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 8, "color": OF_THE_PAGE},
                "encoding": {name: common[name] for name in ("y", "yOffset")}
                | {"x": x, "text": {"field": "value", "format": ".1%"}},
            },
        ],
    }


def _rule(common: Mapping[str, Any]) -> Json:
    ends = {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}}
    return {
        "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.5},
        "transform": [{"filter": "isValid(datum.low)"}],
        "encoding": {**common, **ends},
    }


def _triangle(title: str, found: Iterable[Sequence[Any]], rows: Mapping[str, Any], columns: Mapping[str, Any]) -> Json:
    """Return the lower triangle of a matrix of correlations, with “not defined” where there is none."""
    cells = [
        {
            "row": str(rows[one]),
            "column": str(columns[other]),
            "value": None if isinstance(value, str) else value,
            "words": "–" if isinstance(value, str) else f"{value:z.2f}",
        }
        for one, other, value in found
    ]
    order = [str(rows[key]) for key in rows], [str(columns[key]) for key in columns]
    return matrix(title, cells, order, (-1, 0, 1))


def matrix(
    title: str, cells: list[Json], order: tuple[Sequence[str], Sequence[str]], domain: tuple[float, float, float]
) -> Json:
    """Return a matrix whose cells have their number, and a colour that says the same. order: of rows and columns."""
    x: Json = {"field": "column", "type": "nominal", "sort": list(order[1])}
    x["axis"] = {"title": None, "orient": "bottom", "labelLimit": 120, "labelAngle": -40}
    axis = {"title": None, "labelLimit": 220}
    y = {"field": "row", "type": "nominal", "sort": list(order[0]), "axis": axis}
    color = {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": list(domain), "range": [VERMILLION, "#f2f2f2", BLUE]},
        "legend": None,
    }
    strong = f"isValid(datum.value) && abs(datum.value - {domain[1]}) > {(domain[2] - domain[1]) * 0.6}"
    plain = "!isValid(datum.value)"
    text_color = {
        "condition": [{"test": strong, "value": "#ffffff"}, {"test": plain, "value": OF_THE_PAGE}],
        "value": "#1b1d20",
    }
    return {
        "description": _described(title, ((f"{one['row']}, {one['column']}", one["words"]) for one in cells)),
        "data": {"values": cells},
        "height": {"step": STEP},
        "encoding": {"x": x, "y": y},
        "layer": [
            {
                "mark": {"type": "rect", "tooltip": {"content": "data"}},
                "transform": [{"filter": "isValid(datum.value)"}],
                "encoding": {"color": color},
            },
            {
                "mark": {"type": "text", "fontSize": 11},
                "encoding": {"text": {"field": "words"}, "color": text_color},
            },
        ],
    }


def _described(title: str, rows: Iterable[tuple[str, Any]]) -> str:
    return f"{title}. " + "; ".join(
        f"{name}: {value:.1%}" if isinstance(value, float) else f"{name}: {value}" for name, value in rows
    )


_MAKERS = {
    "tag-shares": tag_shares,
    "prompt-tags": prompt_tags,
    "tv-pair-tags": tv_tags,
    "preferences": preferences,
    "win-rates": win_rates,
    "harm": harm,
    "labellers": labellers,
}
NAMES = tuple(_MAKERS)
