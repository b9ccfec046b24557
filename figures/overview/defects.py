"""Confirmed defects of a study: counted by reason, question and week, and the rows behind each count.

A row of an answer counts once, whichever reviews found its defect. What was found in a lot that is not decided is shown
only to people who decide lots.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, QuerySet
from django.db.models.expressions import Case, Value, When
from django.db.models.functions import TruncWeek
from django.utils import timezone

from qc.models import Lot, Verdict
from qc.models.reviews import TAGS
from studies.models import Study

DECIDED = (Lot.State.ACCEPTED, Lot.State.RETURNED)
#: The question of both rows of tags.
TAGS_KEY = "tags"


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a study is shown: one lot, or None for all; and from which day on, or None for ever."""

    lot: Lot | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """Defects of one reason, question and week. A correction or an adjudication without a reason has its ruling."""

    code: str
    question: str
    week: date
    number: int


def defects(study: Study, span: Span, *, decides: bool) -> QuerySet[Any]:
    """Return the verdicts that count as defects, one for each row of an answer, with `reason` and `question`."""
    earlier = Verdict.objects.filter(
        item=OuterRef("item"), row=OuterRef("row"), counts=True, withdrawn_at=None, pk__lt=OuterRef("pk")
    )
    found = Verdict.objects.filter(~Exists(earlier), study=study, counts=True, withdrawn_at=None)
    if span.since:
        found = found.filter(confirmed_at__gte=_began(span.since))
    if span.lot:
        found = found.filter(item__lot=span.lot)
    if not decides:
        found = found.filter(item__lot__state__in=DECIDED)
    return found.annotate(
        reason=Case(When(code="", then=F("ruling")), default=F("code")),
        question=Case(When(row__in=TAGS, then=Value(TAGS_KEY)), default=F("row")),
    )


def _began(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))


def counted(found: QuerySet[Any]) -> list[Counted]:
    """Return the numbers of defects by reason, question, and week in the reader's time zone. One statement."""
    week = TruncWeek("confirmed_at", tzinfo=timezone.get_current_timezone())
    rows = found.order_by().values_list("reason", "question", week).annotate(number=Count("pk"))
    return [Counted(code, question, moment.date(), number) for code, question, moment, number in rows]


def summed(numbers: list[Counted], key: Callable[[Counted], Hashable]) -> list[tuple[Any, int]]:
    """Return the sums by a key, the largest first."""
    sums: Counter[Any] = Counter()
    for one in numbers:
        sums[key(one)] += one.number
    return sums.most_common()


def narrowed(found: QuerySet[Any], *, code: str = "", question: str = "", week: date | None = None) -> QuerySet[Any]:
    """Return the defects with this reason, on this question, and of this week, which is named by its Monday."""
    if code:
        found = found.filter(reason=code)
    if question:
        found = found.filter(question=question)
    if week:
        found = found.filter(confirmed_at__gte=_began(week), confirmed_at__lt=_began(week + timedelta(days=7)))
    related = ("item__lot", "item__assignment__pair", "item__assignment__person", "review__reviewer", "confirmed_by")
    return found.select_related(*related).order_by("-confirmed_at", "-pk")
