"""Charts of model versions: a family's versions over its releases, and the reliability diagram of one version."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from charts.catalogue import Chart
from charts.specifications import BLUE, OF_THE_PAGE, PERCENT, VERMILLION, Json, named_axis
from studies.models import Study
from training import registry_words as words
from training.models import ModelFamily, ModelVersion

VERSIONS, RELIABILITY = "model-versions", "model-reliability"
GREEN = "#009E73"
STEP = 24
#: The most versions in a chart, the latest ones.
MOST = 30


def versions_in(study: Study, query: Mapping[str, str]) -> Chart | None:
    """Return the chart of the family in an address, or None."""
    family = ModelFamily.objects.filter(study=study, pk=_id(query.get("family"))).first()
    return versions(study, family) if family else None


def versions(study: Study, family: ModelFamily) -> Chart | None:
    """Return the main figure of each version beside its baseline and the human bracket. None: nothing is defined."""
    found = (
        ModelVersion.objects.filter(family=family)
        .defer("details")
        .select_related("run__release", "family")
        .order_by("-number")
    )
    rows = [row for one in reversed(found[:MOST]) for row in _rows_of(one)]
    if not rows:
        return None
    page = reverse("models:family", args=[study.slug, family.pk])
    return Chart(VERSIONS, page, f"family={family.pk}", _over_versions(rows))


def _rows_of(version: ModelVersion) -> list[Json]:
    main = words.main_figure(version)
    if main is None:
        return []
    name = _("Version %(n)s, release %(release)s") % {"n": version.number, "release": version.run.release.number}
    rows = [{"version": name, "of": _("Model"), "value": main["value"], "low": main["low"], "high": main["high"]}]
    if main.get("baseline") is not None:
        is_share = main["figure"] not in words.PLAIN
        of = _("Majority") if is_share else _("Prevalence")
        rows.append({"version": name, "of": of, "value": main["baseline"], "low": None, "high": None})
    human = words.metric(version, words.HUMAN, main["target"])
    ceiling = words.metric(version, words.CEILING, main["target"])
    if human and human.get("value") is not None:
        high = ceiling["high"] if ceiling and ceiling.get("high") is not None else None
        low = human["value"] if high is not None else None
        rows.append({"version": name, "of": _("Two people"), "value": human["value"], "low": low, "high": high})
    return rows


def _over_versions(rows: list[Json]) -> Json:
    kinds = [_("Model"), _("Majority"), _("Prevalence"), _("Two people")]
    names = [name for name in kinds if any(row["of"] == name for row in rows)]
    ranges = {kinds[0]: (BLUE, "circle"), kinds[1]: (VERMILLION, "square"), kinds[2]: (VERMILLION, "square")}
    ranges[kinds[3]] = (GREEN, "diamond")
    y = {"field": "version", "type": "nominal", "sort": None, "axis": {"title": None, "labelLimit": 220}}
    offset = {"field": "of", "type": "nominal", "scale": {"domain": names}}
    x = {"field": "value", "type": "quantitative", "scale": {"zero": False, "nice": True}}
    x["axis"] = named_axis(_("Agreement or precision on test answers")) | PERCENT
    legend = {"title": None, "orient": "top", "labelColor": OF_THE_PAGE, "labelFontSize": 12}
    color = {"field": "of", "type": "nominal", "scale": {"domain": names, "range": [ranges[one][0] for one in names]}}
    shape = {"field": "of", "type": "nominal", "scale": {"domain": names, "range": [ranges[one][1] for one in names]}}
    common = {"y": y, "yOffset": offset}
    ends = {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}}
    point = {"type": "point", "filled": True, "opacity": 1, "size": 70, "tooltip": {"content": "data"}}
    text = {"type": "text", "align": "left", "dx": 8, "dy": -7, "color": OF_THE_PAGE}
    layers: list[Json] = [
        {
            "mark": point,
            "encoding": common | {"x": x, "color": color | {"legend": legend}, "shape": shape | {"legend": legend}},
        },
        {"mark": text, "encoding": common | {"x": x, "text": {"field": "value", "format": ".1%"}}},
    ]
    if any(row["low"] is not None for row in rows):
        rule = {"type": "rule", "strokeWidth": 3, "opacity": 0.5}
        encoding = common | ends | {"color": color | {"legend": None}}
        layers.insert(0, {"mark": rule, "transform": [{"filter": "isValid(datum.low)"}], "encoding": encoding})
    said = "; ".join(f"{row['version']}, {row['of']}: {row['value']:.1%}" for row in rows)
    return {
        "description": _("Versions over releases") + f". {said}",
        "data": {"values": rows},
        "height": {"step": STEP, "for": "position"},
        "layer": layers,
    }


def reliability_in(study: Study, query: Mapping[str, str]) -> Chart | None:
    """Return the reliability diagram of the version and target in an address, or None."""
    found = ModelVersion.objects.select_related("family").filter(study=study, pk=_id(query.get("version"))).first()
    return reliability(study, found, query.get("target", "")) if found else None


def reliability(study: Study, version: ModelVersion, target: str) -> Chart | None:
    """Return the reliability diagram of a version for one target, or None."""
    points = (version.reliability or {}).get(target)
    if not points:
        return None
    page = reverse("models:version", args=[study.slug, version.family_id, version.number])
    return Chart(RELIABILITY, page, f"version={version.pk}&target={target}", _diagram(points))


def _diagram(points: Sequence[Mapping[str, Any]]) -> Json:
    def axis(title: str) -> Json:
        return {"type": "quantitative", "scale": {"domain": [0, 1]}, "axis": named_axis(title) | PERCENT}

    x, y = axis(_("Predicted share")), axis(_("Share among people"))
    said = "; ".join(f"{one['predicted']:.0%}: {one['observed']:.0%}" for one in points)
    encoding = {"x": x | {"field": "predicted"}, "y": y | {"field": "observed"}}
    even = {"values": [{"predicted": 0, "observed": 0}, {"predicted": 1, "observed": 1}]}
    mark = {"type": "point", "filled": True, "opacity": 1, "size": 60, "color": BLUE, "tooltip": {"content": "data"}}
    text = {"type": "text", "align": "left", "dx": 7, "color": OF_THE_PAGE}
    return {
        "description": _("Predicted share and share among people") + f". {said}",
        "data": {"values": [dict(one) for one in points]},
        "height": 240,
        "layer": [
            {"data": even, "mark": {"type": "line", "strokeDash": [4, 4], "color": OF_THE_PAGE}, "encoding": encoding},
            {"mark": {"type": "line", "color": BLUE}, "encoding": encoding},
            {"mark": mark, "encoding": encoding},
            {"mark": text, "encoding": encoding | {"text": {"field": "n", "type": "quantitative", "format": ",d"}}},
        ],
    }


def _id(asked: str | None) -> int:
    return int(asked) if asked and asked.isascii() and asked.isdigit() and len(asked) < 10 else 0
