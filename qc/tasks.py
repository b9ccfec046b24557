"""Celery tasks: new answers by the rules, marks, runs over earlier answers, and counts of large studies."""

from celery import shared_task

from jobs import engine
from qc import study_counts
from qc.findings import checking, marks, runs


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
def run_rules(run_id: int) -> None:
    """Do the run, if it waits and no other worker has it."""
    runs.run(run_id)


@shared_task
def look_after_runs() -> int:
    """Send messages for runs that wait too long, or whose worker is gone. Return how many."""
    return engine.sweep(runs.POLICY)


@shared_task
def count_large_studies() -> int:
    """Count again in large studies whose counts are some minutes old. Return how many."""
    return study_counts.recount()
