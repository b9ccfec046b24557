"""Celery tasks of imports. A message says that there may be work, and the database row decides."""

from celery import shared_task

from importing import job_progress, job_work
from jobs import engine


@shared_task
def run_import(import_id: int) -> None:
    """Do the import if it waits and no other worker has it."""
    job_work.run(import_id)


@shared_task
def look_after_imports() -> int:
    """Send a message for imports that wait too long, and clean up after ended ones. Return how many waited."""
    job_work.give_up_commands()
    job_work.cancel_forgotten()
    job_work.clean_up_all()
    return engine.sweep(job_progress.POLICY)
