"""Celery tasks of transcoding. A message only says that there may be work; the rows decide."""

import logging

from celery import shared_task

from jobs import engine
from media import transcoding

logger = logging.getLogger(__name__)


@shared_task
def transcode_asset(sent_for: int) -> None:
    """Transcode the asset that is due, if there is one.

    It may be another asset than the one the message was `sent_for`, if that one is due earlier. The message of the
    other asset then finds this one.
    """
    asset = transcoding.claim()
    if asset is not None:
        logger.debug("Message for asset %s; preparing %s", sent_for, asset)
        transcoding.process(asset)


@shared_task
def resend_waiting_media() -> int:
    """Send a message for assets that wait too long, unless the queue is full of messages. Return how many."""
    return engine.sweep(transcoding.POLICY)
