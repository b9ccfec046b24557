"""The loss curve of a run: at most `MOST` points of each part, its table, and its chart."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from charts.catalogue import Chart
from charts.specifications import BLUE, HEIGHT, OF_THE_PAGE, VERMILLION, Json, named_axis
from jobs.pages import grouped
from studies.models import Study
from training.models import Run, RunPoint

LOSS = "training-loss"
#: The most points of a part on a page. Of a longer curve, each point is the mean of neighbouring steps.
MOST = 120
NAMES: dict[str, str | Promise] = {
    RunPoint.Part.TRAINING: gettext_lazy("Training"),
    RunPoint.Part.VALIDATION: gettext_lazy("Validation"),
}
CURVE = """
WITH ends AS (SELECT min(step) AS low, max(step) + 1 AS high FROM training_runpoint WHERE run_id = %(run)s)
SELECT part, max(step), avg(loss)
  FROM training_runpoint, ends WHERE run_id = %(run)s
 GROUP BY part, width_bucket(step, low, high, %(most)s) ORDER BY 1, 2"""


class Point(NamedTuple):
    """The loss of a part after a step, or the mean of the losses until then since the point before."""

    part: str
    step: int
    loss: float


def of_run(run: Run) -> list[Point]:
    """Return the points of both parts, by part and step."""
    with connection.cursor() as cursor:
        cursor.execute(CURVE, {"run": run.pk, "most": MOST})
        return [Point(part, step, round(loss, 6)) for part, step, loss in cursor.fetchall()]


def rows(points: Sequence[Point]) -> list[list[str]]:
    """Return the rows of the table: step, loss in training, loss in validation. An unknown loss is a dash."""
    steps: dict[int, dict[str, float]] = {}
    for point in points:
        steps.setdefault(point.step, {})[point.part] = point.loss
    return [
        [grouped(step), *(f"{losses[part]:.4f}" if part in losses else "–" for part in NAMES)]
        for step, losses in sorted(steps.items())
    ]


def loss_in(study: Study, query: Mapping[str, str]) -> Chart | None:
    """Return the chart of the run in an address, or None."""
    asked = query.get("run", "")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        return None
    run = Run.objects.filter(study=study, pk=int(asked)).first()
    points = of_run(run) if run else []
    return chart(study, run, points) if run and points else None


def chart(study: Study, run: Run, points: Sequence[Point]) -> Chart:
    """Return the chart of a loss curve. The page of a run without points has an empty one, which is hidden."""
    page = reverse("training:run", args=[study.slug, run.pk])
    return Chart(LOSS, page, f"run={run.pk}", _lines(points))


def _lines(points: Sequence[Point]) -> Json:
    names = [str(name) for name in NAMES.values()]
    values: list[dict[str, Any]] = [
        {"of": str(NAMES[point.part]), "step": point.step, "loss": point.loss} for point in points
    ]
    last = {one["of"]: one for one in values}
    x = {"field": "step", "type": "quantitative", "axis": named_axis(_("Step")) | {"format": ",d", "tickCount": 6}}
    y = {"field": "loss", "type": "quantitative", "axis": named_axis(_("Loss")) | {"tickCount": 5}}
    y["scale"] = {"zero": False, "nice": True}
    of = {"field": "of", "type": "nominal"}
    legend = {"title": None, "orient": "top", "labelColor": OF_THE_PAGE, "labelFontSize": 12}
    color = of | {"scale": {"domain": names, "range": [BLUE, VERMILLION]}, "legend": legend}
    shape = of | {"scale": {"domain": names, "range": ["circle", "square"]}, "legend": legend}
    both = {"x": x, "y": y}
    said = "; ".join(f"{name}: {one['loss']:.4f}" for name, one in last.items())
    return {
        "description": _("Loss after each step") + f". {said}",
        "data": {"values": values},
        "height": HEIGHT,
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2}, "encoding": both | {"color": color}},
            {
                "mark": {"type": "point", "filled": True, "opacity": 1, "size": 30, "tooltip": {"content": "data"}},
                "encoding": both | {"color": color, "shape": shape},
            },
        ],
    }
