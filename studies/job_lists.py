"""The lists of background jobs of a study. Each app adds its kind of job in `ready()`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from jobs.pages import JobCard
from studies.models import Study


@dataclass(frozen=True, slots=True)
class JobList:
    """One kind of job: functions that return the cards of open jobs, and of ended jobs made before a moment."""

    open: Callable[[Study], list[JobCard]]
    #: A function of the study, the moment or None, and the largest number of cards. It returns the newest first.
    ended: Callable[[Study, datetime | None, int], list[JobCard]]


def of_rows(model: type[Any], card: Callable[[Any], JobCard]) -> JobList:
    """Return the list for a kind of job. `model` is a `Job` with a `study`, and `card` makes a card from a row."""

    def found(study: Study, **values: Any) -> QuerySet[Any]:
        of_study: QuerySet[Any] = model.objects.filter(study=study, **values)
        return of_study.select_related("asked_by", "study").order_by("-created_at", "-pk")

    def not_ended(study: Study) -> list[JobCard]:
        return [card(job) for job in found(study, finished_at=None)]

    def ended(study: Study, before: datetime | None, most: int) -> list[JobCard]:
        earlier = {"created_at__lt": before} if before else {}
        return [card(job) for job in found(study, finished_at__isnull=False, **earlier)[:most]]

    return JobList(not_ended, ended)


#: By name, so that an app whose `ready()` runs twice adds its kind only once.
kinds: dict[str, JobList] = {}


def open_jobs(study: Study) -> list[JobCard]:
    """Return every job that waits or runs."""
    return [card for kind in kinds.values() for card in kind.open(study)]


def ended_jobs(study: Study, before: datetime | None, most: int) -> list[JobCard]:
    """Return up to `most` ended jobs, the newest first. With `before`, only jobs that were made before that moment."""
    found = [card for kind in kinds.values() for card in kind.ended(study, before, most)]
    return sorted(found, key=lambda card: card.created_at, reverse=True)[:most]
