"""Celery's side of transcoding: a message names a row, and the row decides."""

import logging

from celery import shared_task
from kombu.exceptions import OperationalError

from catalog import transcoding

logger = logging.getLogger(__name__)


@shared_task
def transcode_asset(asset_id: int) -> None:
    """Transcodes the asset, if it still needs it and nobody else is at it."""
    asset = transcoding.claim(asset_id)
    if asset is not None:
        transcoding.process(asset)


@shared_task
def resend_waiting_media() -> int:
    """Sends a message for every asset that has waited too long; how many."""
    transcoding.fail_hopeless()
    waiting = transcoding.waiting()
    announce(waiting)
    return len(waiting)


def announce(asset_ids: list[int]) -> None:
    """Tells the workers that there may be work. Without a broker the sweep tells them later."""
    try:
        for asset_id in asset_ids:
            transcode_asset.delay(asset_id)
    except (OperationalError, OSError) as error:
        logger.warning("The broker is away; %d videos wait for the next sweep: %s", len(asset_ids), error)
