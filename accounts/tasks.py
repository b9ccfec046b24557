"""Periodic work on accounts."""

from celery import shared_task

from accounts.sessions import SessionStore


@shared_task
def clear_sessions() -> None:
    """Delete the rows of sessions that have ended: signing out deletes its own, an expired one stays until now."""
    SessionStore.clear_expired()
