"""Celery tasks of releases. A message says that there may be work, and the database row decides."""

from celery import shared_task

from jobs import engine
from releases import automatic, cleaning, making


@shared_task
def make_release(release_id: int) -> None:
    """Make the release if it waits and no other worker has it."""
    making.run(release_id)


@shared_task
def look_after_releases() -> int:
    """Order releases for accepted lots, send messages for releases that wait too long, and delete withdrawn files.

    Return how many releases waited.
    """
    automatic.make_due()
    waited = engine.sweep(making.POLICY)
    cleaning.remove_files()
    return waited
