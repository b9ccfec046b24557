"""Periodic tasks of this app, in short transactions."""

from celery import shared_task

from answers import sums


@shared_task
def add_up_answers() -> int:
    """Add the latest answers of large studies to the stored sums of people. Return how many people's sums grew."""
    return sums.add_up()
