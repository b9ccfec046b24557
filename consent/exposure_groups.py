"""Exposure for managers: figures of groups of at least five people, from which no smaller group can be computed.

Subtracting two figures could reveal one person, for example today's total and tomorrow's. Therefore figures are of
complete calendar weeks that do not overlap, and there is no total. The numbers of people who left out a harm are those
at the start of this week, in steps of five. They are published only if both groups have at least five people.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain

from django.db.models import Count, Q, Sum
from django.utils import timezone

from accounts.models import Consent
from annotation.models import Break
from consent.agreements import document_of
from consent.wellbeing import SEEN, exposures
from studies.harms import Harm, harms_of
from studies.models import Membership, Study
from studies.models.memberships import Role

LEAST = 5
WEEKS = 8
WEEK = timedelta(days=7)


@dataclass(slots=True)
class Week:
    """One calendar week: the number of people exposed in it, and their summed figures.

    If fewer than `LEAST` people were exposed, `people` is None and there are no figures.
    """

    monday: date
    people: int | None = None
    minutes_each: int = 0
    hidden: int = 0
    too_distressing: int = 0
    breaks: int = 0


@dataclass(slots=True)
class Numbers:
    """One person's week. It is not used outside this module."""

    seconds: float = 0.0
    hidden: int = 0
    too_distressing: int = 0
    breaks: int = 0


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A harm, and the least number of people who left it out, or None if that is not published."""

    harm: Harm
    at_least: int | None


@dataclass(frozen=True, slots=True)
class LeavingOut:
    """Who left out which harm at the start of this week. `people` is in steps of `LEAST`, or None if fewer."""

    since: date
    people: int | None
    harms: list[LeftOut] = field(default_factory=list)


def latest_monday_over(now: datetime) -> date:
    """Return the Monday of the last week that is over in every time zone."""
    # The last places end their day twelve hours after UTC. A person's change of time zone adds one day at most.
    day = (now.astimezone(UTC) - timedelta(days=2)).date()
    return day - timedelta(days=day.weekday()) - WEEK


def weeks(study: Study, now: datetime | None = None) -> list[Week]:
    """Return the last `WEEKS` complete calendar weeks, newest first."""
    last = latest_monday_over(now or timezone.now())
    mondays = [last - WEEK * back for back in range(WEEKS)]
    found = _numbers(study, mondays[-1], last + WEEK)
    return [_week(monday, list(found[monday].values())) for monday in mondays]


def _week(monday: date, numbers: list[Numbers]) -> Week:
    if len(numbers) < LEAST:
        return Week(monday)
    return Week(
        monday,
        people=len(numbers),
        minutes_each=round(sum(one.seconds for one in numbers) / len(numbers) / 60),
        hidden=sum(one.hidden for one in numbers),
        too_distressing=sum(one.too_distressing for one in numbers),
        breaks=sum(one.breaks for one in numbers),
    )


def _numbers(study: Study, first: date, end: date) -> dict[date, dict[int, Numbers]]:
    """Return each exposed person's numbers of each week, by the week's Monday. `end` is not included."""
    found: dict[date, dict[int, Numbers]] = defaultdict(dict)
    for row in chain.from_iterable(
        table.objects.filter(study=study, day__gte=first, day__lt=end)  # type: ignore[attr-defined]  # a concrete one
        .values("person", "day")
        .annotate(seconds=Sum(SEEN), hides=Sum("hidden"), distressing=Count("pk", filter=Q(too_distressing=True)))
        for table in exposures
    ):
        one = found[_monday(row["day"])].setdefault(row["person"], Numbers())
        one.seconds += row["seconds"]
        one.hidden += row["hides"]
        one.too_distressing += row["distressing"]
    began = Break.objects.filter(study=study, began_at__gte=_midnight(first), began_at__lt=_midnight(end))
    for person_id, moment in began.values_list("person_id", "began_at"):
        in_week = found[_monday(moment.astimezone(UTC).date())].get(person_id)
        if in_week is not None:
            in_week.breaks += 1
    return found


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def leaving_out(study: Study, now: datetime | None = None) -> LeavingOut:
    """Return how many annotators left out each of the study's harms at the start of this week.

    Only consents to the study's current terms count.
    """
    since = _monday((now or timezone.now()).astimezone(UTC).date())
    annotators = Membership.objects.filter(study=study, role=Role.ANNOTATOR).values("person")
    then = Consent.objects.filter(
        Q(withdrawn_at=None) | Q(withdrawn_at__gt=_midnight(since)),
        document=document_of(study),
        version=study.consent_version,
        given_at__lte=_midnight(since),
        user__in=annotators,
    )
    agreed = {person: set(categories) for person, categories in then.values_list("user", "categories")}
    if len(agreed) < LEAST:
        return LeavingOut(since, None)
    return LeavingOut(
        since,
        _in_steps(len(agreed)),
        [
            LeftOut(harm, _publishable(sum(harm.key not in kept for kept in agreed.values()), len(agreed)))
            for harm in harms_of(study.categories)
        ],
    )


def _publishable(left_out: int, people: int) -> int | None:
    """Return the number in steps, or None if it or the rest is of too few people to publish."""
    return None if min(left_out, people - left_out) < LEAST else _in_steps(left_out)


def _in_steps(count: int) -> int:
    return count // LEAST * LEAST
