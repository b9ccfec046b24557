"""The plan of a lot: how many answers are spot-checked, and with how many defects the plan accepts the lot.

`diptych/statistics/acceptance.py` computes it. Here are the numbers that it is computed from, and what the pages say of
it.
"""

from dataclasses import dataclass
from functools import lru_cache

from diptych.statistics import acceptance
from diptych.statistics.acceptance import Effort, Plan, Point, Terms
from qc.models import Lot
from studies.models import Study

#: From this share of a lot on, the page says that a larger lot would need less review for each answer.
COSTLY_SHARE = 0.4


def terms_of(of: Study | Lot) -> Terms:
    """Return the terms of a study's settings, or those with which the review of a lot started."""
    return Terms(of.aql or 0, of.ltpd or 0, of.alpha or 0, of.beta or 0, of.spot_share or 0)


@lru_cache(maxsize=256)
def plan_of(size: int, terms: Terms) -> Plan:
    """Return the plan for a lot of this many answers, which must be at least 1."""
    return acceptance.plan(size, terms)


def plan_drawn(lot: Lot) -> Plan | None:
    """Return the plan of the lot's deciding sample, or None if the sample is not drawn yet."""
    return plan_of(lot.size, terms_of(lot)) if lot.size else None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the review of a lot would take and decide, before it starts.

    secondary: answers in the secondary review. good, bad: the effort of the spot check for a lot that is just good, and
    for one that is just bad. points: the operating curve.
    """

    plan: Plan
    secondary: int
    good: Effort
    bad: Effort
    points: tuple[Point, ...]

    @property
    def costly(self) -> bool:
        """Return whether the lot is so small that its spot check needs a large share of it."""
        return self.plan.share >= COSTLY_SHARE

    @property
    def table(self) -> list[Point]:
        """Return about ten points of the curve, with those that the plan is made from."""
        terms, size = self.plan.terms, self.plan.size
        wanted = {terms.good_defects(size), terms.bad_defects(size)}
        step = max(1, len(self.points) // 10)
        return [point for place, point in enumerate(self.points) if place % step == 0 or point.defects in wanted]


def forecast(size: int, of: Study | Lot, *, secondary_share: float) -> Forecast:
    """Return the forecast for a lot of this many answers, which must be at least 1."""
    plan = plan_of(size, terms_of(of))
    return Forecast(
        plan=plan,
        secondary=secondary_size(size, secondary_share),
        good=plan.effort(plan.terms.good_defects(size)),
        bad=plan.effort(plan.terms.bad_defects(size)),
        points=acceptance.operating_curve(plan),
    )


def secondary_size(size: int, share: float) -> int:
    """Return how many of so many answers the secondary review reads: the share, rounded up."""
    return -int(-size * acceptance.exact(share) // 1)
