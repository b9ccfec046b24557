"""Tables of one version: its metrics with what stands beside them, its tags, and its reliability diagram."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from releases.tables import Column, Kind, Table
from studies.harms import HARMS
from training import registry_words as words
from training.models import ModelVersion
from training.promotion import ANY_HARM

#: Shown beside other figures, and not in rows of their own.
BESIDE = {words.HUMAN, words.CEILING, "positives", "negatives"}
ORDER = [*(harm.code for harm in HARMS), ANY_HARM]


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One figure of a version in words. `note` says why it is not defined."""

    target: str
    figure: str
    value: str
    interval: str
    baseline: str
    people: str
    ceiling: str
    n: int | None
    clusters: int | None
    note: str


def metrics(version: ModelVersion) -> list[MetricRow]:
    """Return the figures of a version that are not about a single tag, in the order of its file."""
    return [
        _metric_row(version, one)
        for one in version.run.metrics or []
        if one["figure"] in words.FIGURES and one["figure"] not in BESIDE and not one.get("tag")
    ]


def _metric_row(version: ModelVersion, one: Mapping[str, Any]) -> MetricRow:
    figure, of = one["figure"], one.get("target", "")
    about_people = figure in {"agreement", "agreement_no_ties", "agreement_best_threshold"}
    human = words.metric(version, words.HUMAN, of) if about_people else None
    ceiling = words.metric(version, words.CEILING, of) if about_people else None
    return MetricRow(
        words.target(of),
        str(words.FIGURES[figure]),
        words.number(figure, one.get("value")) if one.get("value") is not None else _("not defined"),
        _interval(figure, one),
        words.number(figure, one.get("baseline")),
        words.number(words.HUMAN, human.get("value")) if human else "–",
        _interval(words.CEILING, ceiling) if ceiling else "–",
        one.get("n"),
        one.get("clusters"),
        one.get("note") or "",
    )


def _interval(figure: str, one: Mapping[str, Any]) -> str:
    low, high = one.get("low"), one.get("high")
    if low is None or high is None:
        return "–"
    return _("%(low)s to %(high)s") % {"low": words.number(figure, low), "high": words.number(figure, high)}


def tags(version: ModelVersion) -> Table:
    """Return a row for each tag of a moderation model: positives, negatives, average precision beside prevalence."""
    by_tag: dict[str, dict[str, Mapping[str, Any]]] = {}
    for one in version.run.metrics or []:
        if one.get("tag"):
            by_tag.setdefault(one["tag"], {})[one["figure"]] = one
    undefined = _("not defined")

    def value(found: Mapping[str, Mapping[str, Any]], figure: str, of: str = "value") -> Any:
        number = found.get(figure, {}).get(of)
        return undefined if number is None else number

    def count(found: Mapping[str, Mapping[str, Any]], figure: str) -> int | None:
        number = found.get(figure, {}).get("value")
        return None if number is None else round(number)

    columns = [
        Column("tag", _("Tag"), Kind.TEXT),
        Column("positives", _("Positives")),
        Column("negatives", _("Negatives")),
        Column("average_precision", _("Average precision"), Kind.NUMBER),
        Column("low", _("From"), Kind.NUMBER),
        Column("high", _("To"), Kind.NUMBER),
        Column("prevalence", _("Prevalence"), Kind.NUMBER),
        Column("mcc", _("MCC"), Kind.NUMBER),
    ]
    rows = [
        [code, count(found, "positives"), count(found, "negatives"), value(found, "average_precision")]
        + [found.get("average_precision", {}).get(bound) for bound in ("low", "high")]
        + [_prevalence(found), value(found, "mcc")]
        for code, found in sorted(by_tag.items(), key=lambda one: ORDER.index(one[0]) if one[0] in ORDER else 99)
    ]
    return Table(columns, rows, {"tag": {code: words.tag(code) for code in by_tag}})


def _prevalence(found: Mapping[str, Mapping[str, Any]]) -> float | None:
    positives, negatives = (found.get(name, {}).get("value") for name in ("positives", "negatives"))
    if positives is None or negatives is None or not positives + negatives:
        return None
    return float(positives / (positives + negatives))


def reliability(version: ModelVersion, target: str) -> Table:
    """Return the numbers of the reliability diagram."""
    columns = [
        Column("predicted", _("Predicted share"), Kind.SHARE),
        Column("observed", _("Share among people"), Kind.SHARE),
        Column("n", _("Answers")),
    ]
    points = (version.reliability or {}).get(target, [])
    return Table(columns, [[one["predicted"], one["observed"], one["n"]] for one in points])
