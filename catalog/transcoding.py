"""Turning pending assets into playable ones. The row is the queue of record; a message only says “look here”.

A worker claims a row with a fence number, transcodes outside any transaction while a heartbeat keeps the claim
alive, and writes the outcome only if the row still has that number. So a lost message, a doubled one, or a worker
killed in the middle changes nothing but the time it takes.
"""

import logging
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from catalog.media import names
from catalog.media.probe import UnplayableMedia
from catalog.media.transcode import Renditions, transcode
from catalog.models import Asset, Pair

logger = logging.getLogger(__name__)

HEARTBEAT_S = 5.0
#: A claim whose heartbeat is older than this is anybody's.
ABANDONED_AFTER = timedelta(seconds=30)
#: A message is sent again for a row that has waited this long.
RESEND_AFTER = timedelta(seconds=30)
#: After this many claims a row that never finished is failed: it takes its worker down with it.
MOST_ATTEMPTS = 5


def claim(asset_id: int) -> Asset | None:
    """Takes the asset for this worker, or None if it is finished or somebody else holds it."""
    now = timezone.now()
    free = Q(state=Asset.State.PENDING) | Q(state=Asset.State.PROCESSING, heartbeat_at__lt=now - ABANDONED_AFTER)
    taken = Asset.objects.filter(free, pk=asset_id, attempts__lt=MOST_ATTEMPTS).update(
        state=Asset.State.PROCESSING, fence=F("fence") + 1, attempts=F("attempts") + 1, heartbeat_at=now
    )
    return Asset.objects.get(pk=asset_id) if taken else None


def process(asset: Asset) -> None:
    """Transcodes a claimed asset, stores what came of it and settles its pairs."""
    with tempfile.TemporaryDirectory(prefix="diptych-") as scratch, heartbeat(asset):
        folder = Path(scratch)
        try:
            source = fetch(asset, folder)
            renditions = transcode(source, folder / "out")
        except UnplayableMedia as error:
            finish_failed(asset, str(error))
            return
        store(asset, renditions)
    finish_ready(asset, renditions)


def fetch(asset: Asset, folder: Path) -> Path:
    """A local copy of the original, under a name of ours."""
    target = folder / "original"
    with default_storage.open(asset.original) as stored, target.open("wb") as local:
        for block in stored.chunks():
            local.write(block)
    return target


def store(asset: Asset, renditions: Renditions) -> None:
    """Puts the renditions where their names say. Writing them again replaces them."""
    files = {
        names.playback(asset.public_id): renditions.playback,
        names.poster(asset.public_id): renditions.poster,
    }
    files |= {names.frame(asset.public_id, n): frame for n, frame in enumerate(renditions.frames)}
    for name, path in files.items():
        with path.open("rb") as file:
            default_storage.save(name, File(file))


@contextmanager
def heartbeat(asset: Asset) -> Iterator[None]:
    """Keeps the claim alive from a thread with a connection of its own."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(HEARTBEAT_S):
                Asset.objects.filter(pk=asset.pk, fence=asset.fence).update(heartbeat_at=timezone.now())
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat {asset.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@transaction.atomic
def finish_ready(asset: Asset, renditions: Renditions) -> None:
    """Writes the outcome if the claim still holds, and opens the pairs whose videos are now both ready."""
    facts = renditions.facts
    if _finish(
        asset,
        state=Asset.State.READY,
        facts={"original": asdict(renditions.source_facts), "playback": asdict(facts)},
        duration_s=facts.duration_s,
        fps=facts.fps,
    ):
        settle_pairs(asset)


@transaction.atomic
def finish_failed(asset: Asset, reason: str) -> None:
    """Writes the reason if the claim still holds, and holds the pairs that would have needed the video."""
    if _finish(asset, state=Asset.State.FAILED, reason=reason):
        settle_pairs(asset)


def _finish(asset: Asset, **outcome: object) -> bool:
    return bool(
        Asset.objects.filter(pk=asset.pk, state=Asset.State.PROCESSING, fence=asset.fence).update(
            finished_at=timezone.now(), heartbeat_at=None, **outcome
        )
    )


MEDIA_FAILED = "A video of this pair could not be prepared."


def settle_pairs(asset: Asset) -> None:
    """Brings `ready` and `held` of the asset's pairs in line with the state of their two assets.

    Locks the pairs first and reads the assets in a later statement: of two workers that finish the two videos of
    one pair at the same moment, the second then sees what the first wrote.
    """
    of_asset = Q(video_0__asset=asset) | Q(video_1__asset=asset)
    ids = list(
        Pair.objects.filter(of_asset).order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True)
    )
    settle(Pair.objects.filter(pk__in=ids))


def settle(pairs: QuerySet[Pair]) -> None:
    """Marks those of `pairs` whose assets are both ready, and holds those with a failed one."""
    ready = pairs.filter(ready=False, video_0__asset__state="ready", video_1__asset__state="ready")
    Pair.objects.filter(pk__in=ready.values("pk")).update(ready=True)
    broken = pairs.filter(Q(video_0__asset__state="failed") | Q(video_1__asset__state="failed"), held="")
    Pair.objects.filter(pk__in=broken.values("pk")).update(held=MEDIA_FAILED)


def waiting() -> list[int]:
    """Assets that have waited too long for a worker, or whose worker's heartbeat stopped."""
    now = timezone.now()
    unfinished = Q(state=Asset.State.PENDING, created_at__lt=now - RESEND_AFTER) | Q(
        state=Asset.State.PROCESSING, heartbeat_at__lt=now - ABANDONED_AFTER
    )
    return list(Asset.objects.filter(unfinished).order_by("created_at").values_list("pk", flat=True)[:1000])


def fail_hopeless() -> int:
    """Fails abandoned assets that were claimed `MOST_ATTEMPTS` times; how many."""
    hopeless = Asset.objects.filter(
        state=Asset.State.PROCESSING,
        heartbeat_at__lt=timezone.now() - ABANDONED_AFTER,
        attempts__gte=MOST_ATTEMPTS,
    )
    for asset in hopeless:
        finish_failed(asset, f"Preparing this video ended its worker {MOST_ATTEMPTS} times.")
    return len(hopeless)
