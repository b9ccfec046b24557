"""Tasks of rules and findings."""

from celery import shared_task

from findings import checking, marks, runs
from jobs import engine


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
