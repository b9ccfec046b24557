"""Periodic work on accounts."""

from celery import shared_task
from django.core.management import call_command


@shared_task
def clear_sessions() -> None:
    """Delete the rows of sessions that have ended: signing out deletes its own, an expired one stays until now."""
    call_command("clearsessions")
