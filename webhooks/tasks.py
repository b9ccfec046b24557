"""Celery tasks of webhooks. A message says that there may be work, and the database row decides."""

from celery import shared_task

from jobs import engine
from webhooks import deliveries
from webhooks.policy import POLICY


@shared_task
def deliver(delivery_id: int) -> None:
    """Make one attempt of a delivery, if it waits and no other worker has it."""
    deliveries.run(delivery_id)


@shared_task
def look_after_webhooks() -> int:
    """Send a message for deliveries that are due. Return how many there are."""
    return engine.sweep(POLICY)


@shared_task
def delete_old_deliveries() -> int:
    """Delete deliveries that ended long ago, and secrets that are no longer valid. Return how many deliveries."""
    return deliveries.delete_old()
