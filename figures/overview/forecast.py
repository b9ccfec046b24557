"""How long the waiting reviews will take at the pace of the last seven days, with the doubt about that pace."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from statistics import fmean, stdev

from diptych.database.fixed import fetch_all
from studies.models import Study

DAYS = 7
#: Student's t for 95 % and six degrees of freedom (seven days).
T = 2.447
BY_DAY = """
SELECT kind, floor(extract(epoch FROM %(now)s - ended_at) / 86400)::int, count(*) FROM qc_review
 WHERE study_id = %(study)s AND state = 'submitted' AND kind = ANY(%(kinds)s::varchar[])
   AND ended_at > %(now)s - interval '7 days' AND ended_at <= %(now)s
 GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Forecast:
    """How many answers wait (`left`), how many were reviewed in seven days (`done`), and the days that are left.

    low, high: bounds of the days; None means that there is no end in sight. They come from how much the seven days
    differ. A whole week has each day of the week once, so a weekend widens the interval and does not move the pace.
    """

    left: int
    done: int
    days: float | None
    low: float | None
    high: float | None

    @property
    def pace(self) -> float:
        """Return the answers a day."""
        return self.done / DAYS


def forecast(left: int, by_day: list[int]) -> Forecast:
    """Return the forecast for so many waiting answers, from the answers of each of the last seven days."""
    pace, doubt = fmean(by_day), T * stdev(by_day) / sqrt(DAYS)
    slow, fast = pace - doubt, pace + doubt
    return Forecast(
        left=left,
        done=sum(by_day),
        days=left / pace if pace else None,
        low=left / fast if fast else None,
        high=left / slow if slow > 0 else None,
    )


def paces(study: Study, kinds: list[str], now: datetime) -> dict[str, list[int]]:
    """Return the answers reviewed on each of the last seven days of 24 hours, by kind of review."""
    found = {kind: [0] * DAYS for kind in kinds}
    for kind, day, number in fetch_all(BY_DAY, {"study": study.pk, "kinds": kinds, "now": now}):
        found[kind][min(day, DAYS - 1)] += number
    return found


def ends_on(now: datetime, days: float | None) -> datetime | None:
    """Return the moment after so many days, or None if there is none within ten years."""
    return now + timedelta(days=days) if days is not None and days < 3653 else None
