"""The charts by name: which specification belongs to an address, for the page and for the file of the same chart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from diptych.refusals import NotThere
from qc import figure_jobs, plans
from qc.charts import specifications
from qc.models import Lot, StudyFigures
from studies.models import Study

AGREEMENT, WEEKS, CURVE = "agreement", "weeks", "curve"
NAMES = (AGREEMENT, WEEKS, CURVE)
#: The font of charts on pages. The script measures texts with it, so it cannot be `inherit`.
PAGE_FONT = 'system-ui, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif'


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart for a page: its name, what the address of its file needs, and its specification for both."""

    name: str
    query: str
    specification: Mapping[str, Any]

    @property
    def for_page(self) -> dict[str, Any]:
        """Return the specification with the colours of the page, as wide as its place."""
        text = specifications.OF_THE_PAGE
        dressed = specifications.dress(
            self.specification, text=text, background=None, width="container", font=PAGE_FONT
        )
        # The place of the chart has the role and the description. Vega would give each group of marks a role too.
        return dressed | {"config": dressed["config"] | {"aria": False, "mark": {"aria": False}}}


def of_agreement(result: Mapping[str, Any], used: str) -> Chart:
    """Return the chart of agreement by question. used: `all` or `valid`."""
    return Chart(AGREEMENT, f"answers={used}", specifications.by_question(result[used]))


def of_weeks(result: Mapping[str, Any]) -> Chart | None:
    """Return the chart of agreement over weeks, or None if nothing can be shown."""
    weeks = result["groups"]["week"]
    made = specifications.over_weeks(weeks)
    return Chart(WEEKS, "", made) if made["data"]["values"] else None


def of_lot(lot: Lot, size: int) -> Chart:
    """Return the operating curve of a lot of this many answers."""
    terms = plans.terms_of(lot if lot.aql is not None else lot.study)
    plan = plans.plan_of(size, terms)
    points = plans.acceptance.operating_curve(plan)
    return Chart(CURVE, f"lot={lot.number}&size={size}", specifications.operating_curve(plan, points))


def find(study: Study, name: str, query: Mapping[str, str]) -> Chart:
    """Return the chart of this name, made from the newest figures. Raise NotThere if there is none."""
    if name == CURVE:
        return _curve(study, query.get("lot", ""), query.get("size", ""))
    newest = figure_jobs.newest(study, StudyFigures.Kind.AGREEMENT) if name in NAMES else None
    chart = None
    if newest and name == AGREEMENT:
        chart = of_agreement(newest.result, "valid" if query.get("answers") == "valid" else "all")
    elif newest:
        chart = of_weeks(newest.result)
    if chart is None:
        raise NotThere(_("There is no such chart."))
    return chart


def _curve(study: Study, number: str, size: str) -> Chart:
    numbers = [int(value) if value.isascii() and value.isdigit() and len(value) < 8 else 0 for value in (number, size)]
    lot = Lot.objects.select_related("study").filter(study=study, number=numbers[0]).first()
    if lot is None or not numbers[1]:
        raise NotThere(_("There is no such chart."))
    return of_lot(lot, numbers[1])
