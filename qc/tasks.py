"""Celery tasks: rules on new answers, marks, runs over earlier answers, and the figures of the page Quality."""

from celery import shared_task
from django.utils import timezone

from jobs import engine
from qc.findings import checking, marks, runs
from qc.overview import stored


@shared_task
def check_new_answers() -> int:
    """Check new and revised answers by the rules of their study, and let their validity follow. Return how many."""
    checked = 0
    while done := checking.check_new():
        checked += done
    while marks.apply_due():
        pass
    return checked


@shared_task
def count_quality(study_id: int) -> bool:
    """Count the figures of a study's page Quality, unless another worker does it."""
    return stored.count(study_id)


@shared_task
def count_quality_due() -> int:
    """Count the figures of all studies whose figures are missing, old or asked for. Return how many."""
    stored.make_rows()
    return sum(stored.count(study_id) for study_id in stored.due(timezone.now()))


@shared_task
def run_rules(run_id: int) -> None:
    """Do the run, if it waits and no other worker has it."""
    runs.run(run_id)


@shared_task
def look_after_runs() -> int:
    """Send messages for runs that wait too long, or whose worker is gone. Return how many."""
    return engine.sweep(runs.POLICY)
