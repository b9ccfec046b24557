"""Decided lots: how many pass at the first attempt, how often batches are reworked, and how long a decision takes.

The time runs from when a batch was annotated to when its lot was decided, once for each attempt.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from statistics import median

from django.utils import timezone

from figures.overview.defects import DECIDED, Span
from qc.models import Lot, LotBatch
from studies.models import Study


@dataclass(frozen=True, slots=True)
class DecidedBatch:
    """One batch of a decided lot, and how long its decision took."""

    lot: int
    attempt: int
    batch: int
    accepted: bool
    answers: int
    annotated_at: datetime
    decided_at: datetime

    @property
    def took(self) -> timedelta:
        return self.decided_at - self.annotated_at

    @property
    def week(self) -> date:
        """Return the Monday of the week of the decision, in the reader's time zone."""
        day = timezone.localtime(self.decided_at).date()
        return day - timedelta(days=day.weekday())


@dataclass(frozen=True, slots=True)
class Week:
    """The decisions of one week, or of all: lots decided and accepted by attempt, and how long batches waited."""

    decided_first: int
    accepted_first: int
    decided_later: int
    accepted_later: int
    batches: int
    median: timedelta | None
    p90: timedelta | None


def decided_batches(study: Study, span: Span) -> list[DecidedBatch]:
    """Return the batches of decided lots, the latest decision first."""
    found = LotBatch.objects.filter(study=study, lot__state__in=DECIDED)
    if span.lot:
        found = found.filter(lot=span.lot)
    if span.since:
        began = timezone.make_aware(datetime(span.since.year, span.since.month, span.since.day))
        found = found.filter(lot__decided_at__gte=began)
    rows = found.order_by("-lot__decided_at", "-lot__number", "batch__number").values_list(
        *("lot__number", "lot__attempt", "batch__number", "lot__state", "lot__frame_size"),
        *("annotated_at", "lot__started_at", "lot__decided_at"),
    )
    return [
        DecidedBatch(lot, attempt, batch, state == Lot.State.ACCEPTED, size, annotated or started, decided)
        for lot, attempt, batch, state, size, annotated, started, decided in rows
    ]


def summary(rows: list[DecidedBatch]) -> Week:
    """Return the figures of these batches and of their lots."""
    lots = {row.lot: row for row in rows}.values()
    first = [row for row in lots if row.attempt == 1]
    later = [row for row in lots if row.attempt > 1]
    times = sorted(row.took for row in rows)
    return Week(
        decided_first=len(first),
        accepted_first=sum(row.accepted for row in first),
        decided_later=len(later),
        accepted_later=sum(row.accepted for row in later),
        batches=len(rows),
        median=timedelta(seconds=median(one.total_seconds() for one in times)) if times else None,
        p90=times[ceil(0.9 * len(times)) - 1] if times else None,
    )


def by_week(rows: list[DecidedBatch]) -> dict[date, Week]:
    """Return the figures by the week of the decision, the latest first."""
    weeks: dict[date, list[DecidedBatch]] = {}
    for row in rows:
        weeks.setdefault(row.week, []).append(row)
    return {week: summary(mine) for week, mine in weeks.items()}


@dataclass(frozen=True, slots=True)
class Rework:
    """Lots that were reviewed for the `attempt`th time: decided, accepted, returned, and answers judged again."""

    attempt: int
    lots: int
    accepted: int
    answers: int


def rework(rows: list[DecidedBatch]) -> list[Rework]:
    """Return the decided lots by attempt. Each attempt after the first is a round of rework."""
    lots = {row.lot: row for row in rows}.values()
    number, accepted, answers = Counter[int](), Counter[int](), Counter[int]()
    for row in lots:
        number[row.attempt] += 1
        accepted[row.attempt] += row.accepted
        answers[row.attempt] += row.answers
    return [Rework(attempt, number[attempt], accepted[attempt], answers[attempt]) for attempt in sorted(number)]
