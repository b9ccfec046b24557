"""Periodic work of this room."""

from celery import shared_task

from annotation import serving


@shared_task
def return_expired_leases() -> int:
    """Returns the slots of expired leases to their pairs, in short transactions."""
    returned = 0
    while batch := serving.return_expired():
        returned += batch
    return returned
