"""The chart of a lot: the operating curve of its plan."""

from collections.abc import Iterable, Mapping

from django.urls import reverse
from django.utils.translation import gettext as _

from charts.catalogue import Chart
from charts.specifications import BLUE, HEIGHT, OF_THE_PAGE, PERCENT, VERMILLION, Json, named_axis
from diptych.statistics import acceptance
from diptych.statistics.acceptance import Plan, Point
from qc import plans
from qc.models import Lot
from studies.models import Study

CURVE = "curve"


def of_lot(lot: Lot, size: int) -> Chart:
    """Return the operating curve of a lot of this many answers."""
    terms = plans.terms_of(lot if lot.aql is not None else lot.study)
    plan = plans.plan_of(size, terms)
    page = reverse("qc:lot", args=[lot.study.slug, lot.number])
    return Chart(CURVE, page, f"lot={lot.number}&size={size}", operating_curve(plan, acceptance.operating_curve(plan)))


def curve(study: Study, query: Mapping[str, str]) -> Chart | None:
    """Return the operating curve of the lot and size in the address, or None if there is no such lot."""
    values = (query.get("lot", ""), query.get("size", ""))
    number, size = (int(value) if value.isascii() and value.isdigit() and len(value) < 8 else 0 for value in values)
    lot = Lot.objects.select_related("study").filter(study=study, number=number).first()
    return of_lot(lot, size) if lot is not None and size else None


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
    x = {
        "field": "share",
        "type": "quantitative",
        "axis": named_axis(_("Share of defects in the lot")) | PERCENT,
    }
    y = {"field": "accepted", "type": "quantitative", "scale": {"domain": [0, 1]}}
    y["axis"] = named_axis(_("Probability that the lot is accepted")) | PERCENT
    said = "; ".join(f"{one['label']}: {one['share']:.1%} → {one['accepted']:.1%}" for one in marked)
    title = _("Operating curve")
    return {
        "description": f"{title}. {said}",
        "height": HEIGHT,
        "layer": [
            {
                "data": {"values": rows},
                "mark": {"type": "line", "strokeWidth": 2, "color": BLUE},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": marked},
                "mark": {
                    "type": "point",
                    "filled": True,
                    "size": 90,
                    "color": VERMILLION,
                    "shape": "diamond",
                },
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": marked},
                "mark": {"type": "text", "align": "left", "dx": 10, "dy": -6, "color": OF_THE_PAGE},
                "encoding": {"x": x, "y": y, "text": {"field": "label"}},
            },
        ],
    }
