"""Tasks of controls."""

from celery import shared_task

from controls import making
from jobs import engine


@shared_task
def make_controls(run_id: int) -> None:
    """Do the run of controls, if it waits and no other worker has it."""
    making.run(run_id)


@shared_task
def look_after_controls() -> int:
    """Send messages for runs of controls that wait too long, or whose worker is gone. Return how many."""
    return engine.sweep(making.POLICY)
