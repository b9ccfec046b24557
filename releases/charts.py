"""Charts of releases: which release an address names, and the chart of its funnel. Higher apps add other charts."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from charts.catalogue import Chart
from charts.specifications import BLUE, OF_THE_PAGE, Json, named_axis
from releases import words
from releases.models import Release
from studies.models import Study

#: What every name of a chart of a release begins with.
PREFIX = "release-"
FUNNEL = f"{PREFIX}funnel"
#: Pixels between the rows of a chart.
STEP = 30
#: How much longer an axis is than its longest mark, for the number beside it.
ROOM_FOR_LABELS = 1.3


def release_in(study: Study, query: Mapping[str, str]) -> Release | None:
    """Return the release of the study whose number is in an address, or None."""
    asked = query.get("release", "")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        return None
    return Release.objects.select_related("study").filter(study=study, number=int(asked)).first()


def funnel_in(study: Study, query: Mapping[str, str]) -> Chart | None:
    """Return the chart of the funnel of the release in an address, or None if there is nothing to show."""
    release = release_in(study, query)
    return funnel(release) if release else None


def funnel(release: Release) -> Chart | None:
    """Return the chart of the funnel of a release, or None as long as its answers are not copied."""
    if not release.funnel:
        return None
    page = reverse("releases:release", args=[release.study.slug, release.number])
    return Chart(FUNNEL, page, f"release={release.number}", _stages(release.funnel))


def _stages(stages: list[dict[str, Any]]) -> Json:
    """Return how many answers pass each stage."""
    rows = [{"stage": str(words.STAGES[one["stage"]]), "value": one["answers"]} for one in stages]
    y = {"field": "stage", "type": "nominal", "sort": None, "axis": {"title": None, "labelLimit": 200}}
    scale = {"domain": [0, max((one["value"] for one in rows), default=1) * ROOM_FOR_LABELS], "nice": False}
    axis = named_axis(_("Answers")) | {"tickCount": 5}
    x = {"field": "value", "type": "quantitative", "scale": scale, "axis": axis}
    title = _("From submitted to released")
    said = "; ".join(f"{one['stage']}: {one['value']}" for one in rows)
    return {
        "description": f"{title}. {said}",
        "data": {"values": rows},
        "height": {"step": STEP},
        "layer": [
            {"mark": {"type": "bar", "color": BLUE, "tooltip": {"content": "data"}}, "encoding": {"x": x, "y": y}},
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "color": OF_THE_PAGE},
                "encoding": {"x": x, "y": y, "text": {"field": "value", "format": ",d"}},
            },
        ],
    }
