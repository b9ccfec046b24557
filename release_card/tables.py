"""The tables of the data card that are not figures."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.pages import grouped
from release_card.figures.tables import tag_words
from releases import words
from releases.tables import Column, Kind, Table
from studies.templatetags.shares import percent

Json = Mapping[str, Any]
SOURCES = {
    "real_user": gettext_lazy("real users"),
    "researcher": gettext_lazy("researchers"),
    "": gettext_lazy("not recorded"),
}
SAID = {
    "born": gettext_lazy("Year of birth"),
    "gender": gettext_lazy("Gender"),
    "country": gettext_lazy("Country"),
    "first_language": gettext_lazy("First language"),
    "education": gettext_lazy("Education"),
}


def of(some: int, number: int) -> str:
    """Return a number with its share of all: “12 of 40 (30 %)”."""
    if not number:
        return "–"
    return _("%(n)s of %(total)s (%(share)s)") % {
        "n": grouped(some),
        "total": grouped(number),
        "share": percent(some / number),
    }


def named(rows: Iterable[Sequence[Any]], labels: Sequence[str]) -> Table:
    """Return a table of names with their numbers. The last column has the numbers."""
    columns = [Column(label, label, Kind.GIVEN) for label in labels[:-1]] + [Column("n", labels[-1])]
    return Table(columns, [[*row] for row in rows], {label: {"": _("not recorded")} for label in labels[:-1]})


def up_to(counted: Json, what: str, units: str) -> Table:
    """Return how many units have each number of something."""
    rows = [[number, times] for number, times in counted.items() if number != "mean"]
    total = sum(times for _number, times in rows)
    columns = [Column("number", what, Kind.TEXT), Column("n", units), Column("share", _("Share"), Kind.SHARE)]
    return Table(columns, [[number, times, times / total] for number, times in rows])


def prompts(numbers: Json) -> Table:
    """Return the prompts by type and source."""
    total = numbers["composition"]["prompts"]
    columns = [
        Column("type", _("Type"), Kind.TEXT),
        Column("source", _("Source"), Kind.TEXT),
        Column("prompts", _("Prompts")),
        Column("share", _("Share"), Kind.SHARE),
    ]
    rows = [[*row, row[-1] / total] for row in numbers["composition"]["prompts_by_type_and_source"]]
    return Table(columns, rows, {"type": words.PROMPT_TYPES, "source": SOURCES})


def parts(numbers: Json) -> Table:
    """Return prompts, pairs and answers by part."""
    made_of, answers = numbers["composition"], numbers["counts"]["answers_by_part"]
    columns = [
        Column("part", _("Part"), Kind.TEXT),
        Column("prompts", _("Prompts")),
        Column("pairs", _("Pairs")),
        Column("answers", _("Answers")),
    ]
    rows = [
        [part, *(one.get(part, 0) for one in (made_of["prompts_by_part"], made_of["pairs_by_part"], answers))]
        for part in words.PARTS
        if part in made_of["prompts_by_part"]
    ]
    return Table(columns, rows, {"part": words.PARTS})


def funnel(numbers: Json) -> Table:
    """Return how many answers passed each stage, and why others did not."""
    columns = [
        Column("stage", _("Stage"), Kind.TEXT),
        Column("answers", _("Answers")),
        Column("left_out", _("Left out"), Kind.TEXT),
    ]
    rows = [
        [stage["name"], stage["answers"], "; ".join(f"{why}: {grouped(n)}" for why, n in stage["left_out"])]
        for stage in words.funnel(numbers["funnel"])
    ]
    return Table(columns, rows)


def opt_outs(numbers: Json) -> Table:
    """Return how many annotators refused to see each harm that the study may show."""
    people, asked = numbers["people"], numbers["collected"]["settings"]["categories"]
    number = people["annotators"]
    rows = [
        [key, refused, refused / number if refused is not None and number else None]
        for key, refused in people["opted_out"].items()
        if key in asked
    ]
    columns = [
        Column("harm", _("Harm"), Kind.TEXT),
        Column("annotators", _("Annotators")),
        Column("share", _("Share"), Kind.SHARE),
    ]
    return Table(columns, rows, {"harm": tag_words()})


def demographics(numbers: Json) -> list[tuple[str, Table]]:
    """Return a table for each thing that annotators said of themselves."""
    found = []
    for name, groups in numbers["collected"]["demographics"].items():
        columns = [Column("group", SAID[name], Kind.GIVEN), Column("annotators", _("Annotators"))]
        others = {"group": {"": _("others, or not said")}}
        found.append((str(SAID[name]), Table(columns, list(map(list, groups.items())), others)))
    return found


def lots(numbers: Json, most: int) -> Table:
    """Return the decided lots, with the samples that decided them and the rates of defects that they show."""
    columns = [
        Column("lot", _("Lot")),
        Column("attempt", _("Attempt")),
        Column("state", _("Decision"), Kind.TEXT),
        Column("answers", _("Answers")),
        Column("judged", _("Answers judged")),
        Column("defects", _("Defects found")),
        Column("before", _("Defects before review"), Kind.RATE),
        Column("after", _("Defects after review"), Kind.RATE),
        Column("released", _("Defects in what is released"), Kind.RATE),
    ]
    states = {"accepted": _("accepted"), "returned": _("returned"), "in_review": _("in review")}
    return Table(columns, [_lot(one) for one in numbers["collected"]["lots"][:most]], {"state": states})


def _lot(one: Json) -> list[Any]:
    figures = one["figures"] or {"deciding": {"judged": None, "defects": None}, "rates": {}}
    deciding = figures["deciding"]
    rates = [rate(figures["rates"].get(name)) for name in ("before", "after", "released")]
    return [one["lot"], one["attempt"], one["state"], one["answers"], deciding["judged"], deciding["defects"], *rates]


def rate(stored: Json | None) -> Json:
    """Return a stored rate of defects as a figure."""
    if not stored or stored.get("share") is None:
        return {"value": "not_enough", "interval": "not_enough", "n": 0}
    bounds = [stored.get("share_low", stored.get("low")), stored.get("share_high", stored.get("high"))]
    return {"value": stored["share"], "interval": bounds, "n": stored.get("size", 0)}
