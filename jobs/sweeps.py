"""Record when periodic tasks last ended well, and tell people when that was too long ago.

Sweeps find the rows that wait for a worker. If beat or all workers are gone, or all workers are busy with long work,
these rows keep waiting.
"""

from datetime import datetime, timedelta
from typing import Any

from celery.signals import task_success
from django.conf import settings
from django.db.models import Max
from django.db.models.functions import Now
from django.utils import timezone

from jobs.models import Sweep

#: The most frequent sweeps run every 15 s. A few may be missed without a warning, for example during a restart.
LATE_AFTER = timedelta(seconds=60)
AGES = "SELECT task, extract(epoch FROM statement_timestamp() - ended_at)::float8 FROM jobs_sweep"


@task_success.connect(dispatch_uid="jobs.sweeps")
def note(sender: Any = None, **_facts: Any) -> None:
    """Record that a periodic task has ended well. Celery calls this in the worker after every task."""
    if sender is not None and sender.name in every_s():
        stamp(sender.name)


def stamp(task: str) -> None:
    """Record that the task ended well just now."""
    Sweep.objects.bulk_create(
        [Sweep(task=task, ended_at=Now())], update_conflicts=True, unique_fields=["task"], update_fields=["ended_at"]
    )


def every_s() -> dict[str, float]:
    """Return the seconds between two runs of each periodic task."""
    return {str(one["task"]): float(str(one["schedule"])) for one in settings.CELERY_BEAT_SCHEDULE.values()}


def last() -> datetime | None:
    """Return when a sweep last ended, or None if none ever did."""
    found: datetime | None = Sweep.objects.aggregate(Max("ended_at"))["ended_at__max"]
    return found


def late() -> tuple[bool, datetime | None]:
    """Return whether the last sweep was too long ago, and when it was."""
    ended_at = last()
    return ended_at is None or timezone.now() - ended_at > LATE_AFTER, ended_at


def ages(cursor: Any) -> dict[str, float]:
    """Return how many seconds ago each periodic task last ended well. Tasks that never did are left out."""
    cursor.execute(AGES)
    return dict(cursor.fetchall())


def overdue(ages_s: dict[str, float]) -> list[str]:
    """Return the tasks that ran before but are overdue, sorted by name."""
    allowed = {task: 2 * every + LATE_AFTER.total_seconds() for task, every in every_s().items()}
    return sorted(task for task, age_s in ages_s.items() if task in allowed and age_s > allowed[task])
