"""Celery tasks: rules over new and earlier answers, suspensions, and pauses."""

from celery import shared_task

from jobs import engine
from qc import pausing, suspension_work
from qc.controls import making
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
def carry_out_suspension(suspension_id: int) -> None:
    """Return or restore the answers of a suspended person, if the job waits and no other worker has it."""
    suspension_work.run(suspension_id)


@shared_task
def look_after_suspensions() -> int:
    """Send messages for suspensions that wait too long, or whose worker is gone. Return how many."""
    return engine.sweep(suspension_work.POLICY)


@shared_task
def judge_people() -> int:
    """Judge people by the pause rules of their studies. Return how many were judged."""
    return pausing.judge_all()


@shared_task
def make_controls(run_id: int) -> None:
    """Do the run of controls, if it waits and no other worker has it."""
    making.run(run_id)


@shared_task
def look_after_controls() -> int:
    """Send messages for runs of controls that wait too long, or whose worker is gone. Return how many."""
    return engine.sweep(making.POLICY)
