"""People's exposure by name. Only the person and the study's wellbeing contact may see it.

Managers get `exposure_groups`. A test checks that no figure of speed, quality or pay uses either module.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import add
from typing import Any

from django.db.models import Count, Exists, F, FloatField, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts import days
from accounts.models import User
from annotation.models import Break, Dose, Exposure, ExposureCounters, Seat
from diptych.database.natural import Natural
from diptych.durations import MINUTE, in_words
from studies.harms import Harm, harms_of
from studies.models import Membership, Study
from studies.models.memberships import Role

#: Number of days of a summary, including the last one.
DAYS = 14
#: Seconds of possibly harmful video: reported ones and those still expected.
SEEN = F("revealed_s") + F("expected_s")
BY_NAME, BY_EXPOSURE = "name", "exposure"
BY_USERNAME = (Natural("username"), "username")
ORDERS: dict[str, tuple[str | Natural, ...]] = {BY_NAME: BY_USERNAME, BY_EXPOSURE: ("-seen_s", *BY_USERNAME)}


#: Tables of exposure by person and day. `qc` adds that of reviewers, who watch the same videos.
exposures: list[type[ExposureCounters]] = [Exposure]


def in_minutes(seconds: float) -> str:
    """Return whole minutes for a table. Less than a minute is not shown as zero."""
    return "<1" if 0 < seconds < 60 else str(round(seconds / 60))


@dataclass(slots=True)
class Day:
    """One day of one person in one study, in the person's time zone."""

    day: date
    seconds: float = 0.0
    pairs: int = 0
    hidden: int = 0
    too_distressing: int = 0
    breaks: int = 0

    @property
    def minutes(self) -> str:
        return in_minutes(self.seconds)


@dataclass(frozen=True, slots=True)
class Summary:
    """`DAYS` days of one person in one study, oldest first, and the study's harms that they left out."""

    person: User
    days: list[Day]
    opted_out: list[Harm] = field(default_factory=list)
    consented: bool = False

    @property
    def seconds(self) -> float:
        return sum(day.seconds for day in self.days)

    @property
    def minutes(self) -> str:
        return in_minutes(self.seconds)

    @property
    def hidden(self) -> int:
        return sum(day.hidden for day in self.days)

    @property
    def too_distressing(self) -> int:
        return sum(day.too_distressing for day in self.days)

    @property
    def breaks(self) -> int:
        return sum(day.breaks for day in self.days)


@dataclass(frozen=True, slots=True)
class OwnSummary:
    """A person's own view: their summary, and today's dose over all studies next to this study's limit."""

    summary: Summary
    dose_s: float
    cap_s: int

    @property
    def dose(self) -> str:
        return in_words(self.dose_s, to=MINUTE)

    @property
    def cap(self) -> str:
        return in_words(self.cap_s)

    @property
    def lately(self) -> str:
        """Return the length of possibly harmful video in the days of the summary."""
        return in_words(self.summary.seconds, to=MINUTE)


def own_summary(person: User, study: Study) -> OwnSummary:
    """Return the person's own exposure in the study. Show it only to them."""
    today = days.day_of(person, timezone.now())
    dose_s = Dose.objects.filter(person=person, day=today).values_list("seconds", flat=True).first() or 0.0
    return OwnSummary(summaries(study, [person], today)[0], dose_s, study.daily_dose_s)


def people(study: Study, last: date, order: str = BY_NAME) -> QuerySet[User]:
    """Return everybody who annotates or reviews in the study, or was exposed in it.

    `.seen_s` has the seconds of the days up to `last`.
    """
    judges = Membership.objects.filter(study=study, person=OuterRef("pk"), role__in=[Role.ANNOTATOR, Role.REVIEWER])
    belongs, seconds = Q(Exists(judges)), []
    for table in exposures:
        own = table.objects.filter(study=study, person=OuterRef("pk"))  # type: ignore[attr-defined]  # a concrete one
        in_window = own.filter(day__gt=last - timedelta(days=DAYS), day__lte=last).order_by()
        seen = in_window.values("person").annotate(seconds=Sum(SEEN)).values("seconds")
        seconds.append(Coalesce(Subquery(seen), Value(0.0), output_field=FloatField()))
        belongs |= Q(Exists(own))
    return User.objects.filter(belongs).annotate(seen_s=reduce(add, seconds)).order_by(*ORDERS[order])


def last_day(study: Study) -> date:
    """Return today, or a later day if it has already begun for someone in the study."""
    found = [table.objects.filter(study=study).aggregate(latest=Max("day"))["latest"] for table in exposures]  # type: ignore[attr-defined]
    return max([timezone.localdate(), *(latest for latest in found if latest)])


def summaries(study: Study, persons: Sequence[User], last: date) -> list[Summary]:
    """Return a summary of the days up to `last` for each person, in the given order. The number of queries is fixed."""
    ids = [person.pk for person in persons]
    days = [last - timedelta(days=back) for back in reversed(range(DAYS))]
    by_person = {person.pk: {day: Day(day) for day in days} for person in persons}
    for row in _exposures(study, ids, days[0], last):
        day = by_person[row["person"]][row["day"]]
        day.seconds += row["seconds"]
        day.pairs += row["pairs"]
        day.hidden += row["hides"]
        day.too_distressing += row["distressing"]
    _count_breaks(study, persons, by_person, last)
    seats = {seat.person_id: seat for seat in Seat.objects.filter(study=study, person__in=ids)}
    return [_summary(study, person, list(by_person[person.pk].values()), seats.get(person.pk)) for person in persons]


def _exposures(study: Study, ids: Collection[int], first: date, last: date) -> Iterable[Any]:
    for table in exposures:
        yield from (
            table.objects.filter(study=study, person__in=ids, day__range=(first, last))  # type: ignore[attr-defined]
            .values("person", "day")
            .annotate(
                seconds=Sum(SEEN),
                pairs=Count("pk", filter=Q(revealed_s__gt=0) | Q(expected_s__gt=0)),
                hides=Sum("hidden"),
                distressing=Count("pk", filter=Q(too_distressing=True)),
            )
        )


def _count_breaks(study: Study, persons: Sequence[User], by_person: dict[int, dict[date, Day]], last: date) -> None:
    """Add each break to the day on which it began for its person."""
    known = {person.pk: person for person in persons}
    end = datetime.combine(last, time(), UTC) + timedelta(days=2)  # days end later in some time zones
    breaks = Break.objects.filter(
        study=study, person__in=known, began_at__gte=end - timedelta(days=DAYS + 3), began_at__lt=end
    )
    for person_id, moment in breaks.values_list("person_id", "began_at"):
        day = by_person[person_id].get(days.day_of(known[person_id], moment))
        if day is not None:
            day.breaks += 1


def _summary(study: Study, person: User, days: list[Day], seat: Seat | None) -> Summary:
    """Return one person's summary. Without a consent in force, it names no harms as left out."""
    if seat is None or not seat.consented_version:
        return Summary(person, days)
    left_out = harms_of([key for key in seat.excluded if key in study.categories])
    return Summary(person, days, left_out, consented=True)
