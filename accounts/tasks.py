"""Periodic tasks about accounts."""

from celery import shared_task

from accounts.sessions import SessionStore


@shared_task
def clear_sessions() -> None:
    """Delete the rows of expired sessions. Signing out deletes its own row."""
    SessionStore.clear_expired()
