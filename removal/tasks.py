"""Celery tasks of removals. A message says that there may be work, and the database row decides."""

from celery import shared_task

from jobs import engine
from removal import work


@shared_task
def carry_out_removal(removal_id: int) -> None:
    """Do the removal if it waits and no other worker has it."""
    work.run(removal_id)


@shared_task
def look_after_removals() -> int:
    """Send a message for removals that wait too long, and delete unused files. Return how many waited."""
    waited = engine.sweep(work.POLICY)
    work.remove_files()
    return waited
