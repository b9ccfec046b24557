"""Celery tasks: rules for new and earlier answers, their marks, and more answers where people disagree."""

from celery import shared_task

from jobs import engine
from qc import more_opinions
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
def ask_for_more_opinions() -> int:
    """Ask for more answers where new or changed answers disagree. Return how many answers were looked at."""
    looked_at = 0
    while done := more_opinions.ask_where_due():
        looked_at += done
    return looked_at


@shared_task
def find_disagreement() -> int:
    """Ask for more answers wherever answers disagree. Return how many were asked for."""
    return more_opinions.ask_everywhere()
