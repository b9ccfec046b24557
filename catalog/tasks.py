"""Celery's side of transcoding: a message names a row, and the row decides."""

import logging

from celery import current_app, shared_task
from kombu.exceptions import OperationalError

from catalog import quarantine, transcoding

logger = logging.getLogger(__name__)


@shared_task
def transcode_asset(asset_id: int) -> None:
    """Transcodes the asset, if it still needs it and nobody else is at it."""
    asset = transcoding.claim(asset_id)
    if asset is not None:
        transcoding.process(asset)


@shared_task
def resend_waiting_media() -> int:
    """Sends a message for assets that have waited too long, unless the queue is full of messages; how many."""
    transcoding.fail_hopeless()
    if queued() >= FULL:
        return 0
    waiting = transcoding.waiting()[:FULL]
    announce(waiting)
    return len(waiting)


@shared_task
def settle_quarantines() -> int:
    """Moves files that a report or a release left where they were; how many assets were settled."""
    return quarantine.settle_all()


#: Messages worth having in the queue at once. Rows beyond them wait for the sweep, so that a long queue of rows
#: does not become a longer one of messages.
FULL = 1000


def queued() -> int:
    """How many messages lie in the queue `media`."""
    with current_app.connection_for_write() as broker:
        # Not `passive`: to a Redis-protocol broker an empty queue does not exist, and asking for it would fail.
        return int(broker.default_channel.queue_declare("media").message_count)  # type: ignore[attr-defined]


def announce(asset_ids: list[int]) -> None:
    """Tells the workers that there may be work. Without a broker the sweep tells them later."""
    try:
        with current_app.producer_or_acquire() as producer:
            for asset_id in asset_ids[:FULL]:
                transcode_asset.apply_async((asset_id,), producer=producer)
    except (OperationalError, OSError) as error:
        logger.warning("The broker is away; %d videos wait for the next sweep: %s", len(asset_ids), error)
