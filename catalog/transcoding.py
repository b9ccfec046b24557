"""Turning pending assets into playable ones. The row is the queue of record; a message only says “look here”.

A worker claims a row with a fence number, transcodes outside any transaction while a heartbeat keeps the claim
alive, and writes the outcome only if the row still has that number. So a lost message, a doubled one, or a worker
killed in the middle changes nothing but the time it takes. Only a video that cannot be played, or that keeps ending
what works on it, fails; trouble of this machine puts it back for a later attempt, however often.
"""

import logging
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts import audit
from catalog.media import names
from catalog.media.commands import ProgramKilled
from catalog.media.probe import UnplayableMedia
from catalog.media.transcode import Renditions, transcode
from catalog.models import Asset, Pair, Study

logger = logging.getLogger(__name__)

HEARTBEAT_S = 5.0
#: A claim whose heartbeat is older than this is anybody's.
ABANDONED_AFTER = timedelta(seconds=30)
#: A message is sent again for a row that has waited this long.
RESEND_AFTER = timedelta(seconds=30)
#: A row that was put back because of trouble is left alone for this long.
PAUSE_AFTER_TROUBLE = timedelta(minutes=1)
#: After this many claims that the video itself may have ended, it is failed.
MOST_ATTEMPTS = 5


def free(now: datetime) -> Q:
    """The rows that a worker may take: those that wait, after their pause, and those whose heartbeat stopped.

    What is in quarantine is not prepared; released, it goes on where it was.
    """
    rested = Q(heartbeat_at=None) | Q(heartbeat_at__lt=now - PAUSE_AFTER_TROUBLE)
    abandoned = Q(state=Asset.State.PROCESSING, heartbeat_at__lt=now - ABANDONED_AFTER)
    return (Q(rested, state=Asset.State.PENDING) | abandoned) & Q(quarantined_at=None)


def claim(asset_id: int) -> Asset | None:
    """Takes the asset for this worker, or None if it is finished, has its pause, or somebody else holds it."""
    now = timezone.now()
    taken = Asset.objects.filter(free(now), pk=asset_id, attempts__lt=MOST_ATTEMPTS).update(
        state=Asset.State.PROCESSING, fence=F("fence") + 1, attempts=F("attempts") + 1, heartbeat_at=now
    )
    return Asset.objects.get(pk=asset_id) if taken else None


def process(asset: Asset) -> None:
    """Prepares a claimed asset. It ends ready, failed, or put back for a later attempt."""
    try:
        prepare(asset)
    except UnplayableMedia as error:
        finish_failed(asset, str(error))
    except (OSError, OperationalError, InterfaceError) as error:
        logger.error("Asset %s waits for a minute because of trouble here: %s", asset, error)
        put_back(asset, getattr(error, "strerror", None) or str(error), counted=False)
    except Exception as error:
        logger.exception("Asset %s could not be prepared", asset)
        trouble = str(error) if isinstance(error, ProgramKilled) else f"{type(error).__name__}, see the log"
        if asset.attempts < MOST_ATTEMPTS:
            put_back(asset, trouble, counted=True)
        else:
            finish_failed(asset, f"Preparing this video failed {MOST_ATTEMPTS} times; the last time: {trouble}.")


def prepare(asset: Asset) -> None:
    """Transcodes a claimed asset, stores what came of it and settles its pairs."""
    with tempfile.TemporaryDirectory(prefix="diptych-", ignore_cleanup_errors=True) as scratch, heartbeat(asset):
        folder = Path(scratch)
        renditions = transcode(fetch(asset, folder), folder / "out")
        if not renew(asset):
            logger.warning("Asset %s was taken over by another worker; nothing was stored", asset)
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


def claimed(asset: Asset) -> QuerySet[Asset]:
    """The asset's row, as long as the claim holds. Quarantine ends it."""
    return Asset.objects.filter(pk=asset.pk, state=Asset.State.PROCESSING, fence=asset.fence, quarantined_at=None)


def renew(asset: Asset) -> bool:
    """Beats once; whether the claim still holds."""
    return bool(claimed(asset).update(heartbeat_at=timezone.now()))


@contextmanager
def heartbeat(asset: Asset) -> Iterator[None]:
    """Keeps the claim alive from a thread with a connection of its own, which outlives trouble with the database."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(HEARTBEAT_S):
                try:
                    renew(asset)
                except (DatabaseError, InterfaceError) as error:
                    logger.warning("Asset %s missed a heartbeat: %s", asset, error)
                    connection.close()  # the next beat opens another one
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
    playback = asdict(facts) | {"sha256": renditions.sha256}
    if claimed(asset).update(
        state=Asset.State.READY,
        facts={"original": asdict(renditions.source_facts), "playback": playback},
        duration_s=facts.duration_s,
        fps=facts.fps,
        finished_at=timezone.now(),
        heartbeat_at=None,
    ):
        settle_pairs(asset)


@transaction.atomic
def finish_failed(asset: Asset, reason: str) -> None:
    """Writes the reason if the claim still holds, and holds the pairs that would have needed the video."""
    if claimed(asset).update(
        state=Asset.State.FAILED, reason=reason, facts={}, finished_at=timezone.now(), heartbeat_at=None
    ):
        settle_pairs(asset)
        for study in Study.objects.filter(videos__asset=asset).distinct().order_by("pk"):
            held = Pair.objects.filter(pairs_of([asset.pk]), study=study, held=MEDIA_FAILED).count()
            after = {"state": Asset.State.FAILED, "reason": reason, "pairs_held": held}
            audit.record("asset.failed", asset, actor=None, study_slug=study.slug, after=after)


def put_back(asset: Asset, trouble: str, *, counted: bool) -> None:
    """Gives up the claim, if it still holds, so that after a pause any worker may take the asset.

    `trouble` is kept with the facts until then. An attempt that is not `counted` brings the asset no nearer to
    failing.
    """
    claimed(asset).update(
        state=Asset.State.PENDING,
        heartbeat_at=timezone.now(),
        attempts=F("attempts") - (0 if counted else 1),
        facts={"trouble": trouble},
    )


MEDIA_FAILED = "A video of this pair could not be prepared."


def pairs_of(assets: list[int]) -> Q:
    """Pairs in which one of the videos is one of these assets."""
    return Q(video_0__asset__in=assets) | Q(video_1__asset__in=assets)


def lock_pairs(assets: list[int]) -> QuerySet[Pair]:
    """The pairs of these assets, locked in the order of their keys until the transaction ends.

    Whoever changes the state of an asset writes that first, then locks the pairs, and reads the state of both
    assets of a pair in a later statement: of two who finish the two videos of one pair at the same moment, the
    second then sees what the first wrote.
    """
    locked = Pair.objects.filter(pairs_of(assets)).order_by("pk").select_for_update(of=("self",))
    return Pair.objects.filter(pk__in=list(locked.values_list("pk", flat=True)))


def settle_pairs(asset: Asset) -> None:
    """Brings `ready` and `held` of the asset's pairs in line with the state of their two assets."""
    settle(lock_pairs([asset.pk]))


def settle(pairs: QuerySet[Pair]) -> None:
    """Marks those of `pairs` whose assets are both ready, and holds those with a failed one."""
    ready = pairs.filter(ready=False, video_0__asset__state="ready", video_1__asset__state="ready")
    Pair.objects.filter(pk__in=ready.values("pk")).update(ready=True)
    broken = pairs.filter(Q(video_0__asset__state="failed") | Q(video_1__asset__state="failed"), held="")
    Pair.objects.filter(pk__in=broken.values("pk")).update(held=MEDIA_FAILED)


def waiting() -> list[int]:
    """Assets that have waited too long for a worker, or whose worker's heartbeat stopped."""
    now = timezone.now()
    too_long = Q(state=Asset.State.PROCESSING) | Q(created_at__lt=now - RESEND_AFTER)
    return list(Asset.objects.filter(free(now), too_long).order_by("created_at").values_list("pk", flat=True)[:1000])


def fail_hopeless() -> int:
    """Fails abandoned assets that were claimed `MOST_ATTEMPTS` times; how many."""
    hopeless = Asset.objects.filter(
        state=Asset.State.PROCESSING,
        heartbeat_at__lt=timezone.now() - ABANDONED_AFTER,
        attempts__gte=MOST_ATTEMPTS,
    )
    for asset in hopeless:
        finish_failed(asset, f"Preparing this video was begun {MOST_ATTEMPTS} times and never came to an end.")
    return len(hopeless)
