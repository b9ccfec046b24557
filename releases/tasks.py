"""Celery tasks of releases. A message says that there may be work, and the database row decides."""

from celery import shared_task

from jobs import engine
from releases import cleaning, making


@shared_task
def make_release(release_id: int) -> None:
    """Make the release if it waits and no other worker has it."""
    making.run(release_id)


@shared_task
def look_after_releases() -> int:
    """Send a message for releases that wait too long, and delete files that nobody may have. Return how many waited."""
    waited = engine.sweep(making.POLICY)
    cleaning.remove_files()
    return waited
