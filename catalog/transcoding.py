"""Turning pending assets into playable ones. The row is the queue of record; a message only says “there may be work”.

A worker claims the row that is due with a fence number, transcodes outside any transaction while a heartbeat keeps the
claim alive, and writes the outcome only if the row still has that number. So a lost message, a doubled one, or a worker
killed in the middle changes nothing but the time it takes. Only a video that cannot be played, or that keeps ending
what works on it, fails; trouble of this machine puts it back for a later attempt, however often.
"""

import logging
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts import audit
from catalog.heartbeat import beating
from catalog.media import names
from catalog.media.commands import ProgramKilled
from catalog.media.look_alikes import mark_look_alikes
from catalog.media.probe import UnplayableMedia
from catalog.media.scratch import scratch
from catalog.media.transcode import Renditions, transcode
from catalog.media_files import remove_half_written, trouble_of_storage
from catalog.models import Asset, Pair, Quarantine, Study

logger = logging.getLogger(__name__)

HEARTBEAT_S = 5.0
#: A claim whose heartbeat is older than this is nobody's: the sweep puts its row back.
ABANDONED_AFTER = timedelta(seconds=30)
#: A message is sent again for a row that has waited this long.
RESEND_AFTER = timedelta(seconds=30)
#: How long a row that was put back because of trouble is left alone, the first time and at most.
SHORTEST_PAUSE_S = 15.0
LONGEST_PAUSE_S = 30 * 60.0
#: After this many claims that the video itself may have ended, it is failed.
MOST_ATTEMPTS = 5
#: Files of one asset that are stored at once. Each waits for the disk, or for the network.
STORED_AT_ONCE = 4

# What is in quarantine is not prepared; released, it goes on where it was. Rows that somebody takes at this moment are
# passed over, so that workers never wait for each other. The index `asset_next` has this order.
CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT id FROM catalog_asset
         WHERE state = 'pending' AND quarantined_at IS NULL AND (wait_until IS NULL OR wait_until <= %(now)s)
         ORDER BY priority DESC, id
         LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE catalog_asset asset
       SET state = 'processing', fence = fence + 1, attempts = attempts + 1, heartbeat_at = %(now)s, wait_until = NULL
      FROM due
     WHERE asset.id = due.id
 RETURNING asset.*
"""


def claim() -> Asset | None:
    """Takes the asset that is due for this worker: of the highest priority, then the oldest. None if there is none."""
    return next(iter(Asset.objects.raw(CLAIM, {"now": timezone.now()})), None)


def process(asset: Asset) -> None:
    """Prepares a claimed asset. It ends ready, failed, or put back for a later attempt."""
    try:
        prepare(asset)
    except UnplayableMedia as error:
        finish_failed(asset, str(error))
    except (OSError, OperationalError, InterfaceError) as error:
        logger.error("Asset %s waits because of trouble here: %s", asset, error)
        if not isinstance(error, OSError):
            connection.close_if_unusable_or_obsolete()
        put_back(asset, getattr(error, "strerror", None) or str(error).strip(), counted=False)
    except Exception as error:
        logger.exception("Asset %s could not be prepared", asset)
        trouble = str(error) if isinstance(error, ProgramKilled) else f"{type(error).__name__}, see the log"
        if asset.attempts < MOST_ATTEMPTS:
            put_back(asset, trouble, counted=True)
        else:
            finish_failed(asset, f"Preparing this video failed {MOST_ATTEMPTS} times; the last time: {trouble}.")


def prepare(asset: Asset) -> None:
    """Transcodes a claimed asset, stores what came of it and settles its pairs."""
    with scratch() as folder, heartbeat(asset):
        renditions = transcode(fetch(asset, folder), folder / "out")
        if not renew(asset):
            logger.warning("Asset %s was taken over by another worker; nothing was stored", asset)
            return
        sizes = store(asset, renditions)
    if not finish_ready(asset, renditions, sizes):
        # A report may have moved the files before the last was stored; then the sweep moves the rest.
        Quarantine.objects.filter(asset=asset, released_at=None).update(files_settled_at=None)


def fetch(asset: Asset, folder: Path) -> Path:
    """A local copy of the original, under a name of ours. Raises OSError."""
    target = folder / "original"
    with trouble_of_storage(), default_storage.open(asset.original) as stored, target.open("wb") as local:
        for block in stored.chunks():
            local.write(block)
    return target


def store(asset: Asset, renditions: Renditions) -> dict[str, int]:
    """Puts the renditions where their names say; the bytes of each, by its name within the asset's folder.

    Writing them again replaces them, and what a worker before this one left half written goes. Raises OSError.
    """
    if asset.fence > 1:
        remove_half_written(names.folder(asset.public_id))
    files = {
        names.playback(asset.public_id): renditions.playback,
        names.poster(asset.public_id): renditions.poster,
        names.strip(asset.public_id): renditions.strip,
    }
    files |= {names.frame(asset.public_id, n): frame for n, frame in enumerate(renditions.frames)}
    with ThreadPoolExecutor(STORED_AT_ONCE, thread_name_prefix=f"store {asset.pk}") as pool:
        list(pool.map(store_file, files, files.values()))
    within = len(names.folder(asset.public_id)) + 1
    return {name[within:]: path.stat().st_size for name, path in files.items()}


def store_file(name: str, path: Path) -> None:
    with trouble_of_storage(), path.open("rb") as file:
        default_storage.save(name, File(file))


def claimed(asset: Asset) -> QuerySet[Asset]:
    """The asset's row, as long as the claim holds. Quarantine ends it."""
    return Asset.objects.filter(pk=asset.pk, state=Asset.State.PROCESSING, fence=asset.fence, quarantined_at=None)


def renew(asset: Asset) -> bool:
    """Beats once; whether the claim still holds."""
    return bool(claimed(asset).update(heartbeat_at=timezone.now()))


def heartbeat(asset: Asset) -> AbstractContextManager[None]:
    """Keeps the claim alive within a `with` block."""
    return beating(lambda: renew(asset), every_s=HEARTBEAT_S, about=f"Asset {asset}")


@transaction.atomic
def finish_ready(asset: Asset, renditions: Renditions, sizes: dict[str, int]) -> bool:
    """Writes the outcome if the claim still holds, and opens the pairs whose videos are now both ready; if it held."""
    facts = renditions.facts
    playback = asdict(facts) | {"sha256": renditions.sha256}
    held = claimed(asset).update(
        state=Asset.State.READY,
        facts={
            "original": asdict(renditions.source_facts),
            "playback": playback,
            "files": sizes,
            "keyframes": renditions.keyframes,
            "psnr_to_first": renditions.psnr_to_first,
        },
        frame_hashes=list(renditions.frame_hashes),
        duration_s=facts.duration_s,
        fps=facts.fps,
        finished_at=timezone.now(),
        heartbeat_at=None,
    )
    if held:
        settle_pairs(asset)
    return bool(held)


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

    `trouble`, and how many times it came in a row, are kept with the facts until then. An attempt that is not
    `counted` brings the asset no nearer to failing.
    """
    times = asset.facts.get("times", 0) + 1
    claimed(asset).update(
        state=Asset.State.PENDING,
        heartbeat_at=None,
        wait_until=timezone.now() + pause(times),
        attempts=F("attempts") - (0 if counted else 1),
        facts={"trouble": trouble, "times": times},
    )


def pause(times: int) -> timedelta:
    """How long a video waits after trouble that came so many times in a row.

    At most twice as long each time. Drawn from the upper half, so that what failed together does not come back
    together.
    """
    longest = min(LONGEST_PAUSE_S, SHORTEST_PAUSE_S * 2 ** min(times, 20))
    return timedelta(seconds=random.uniform(longest / 2, longest))  # noqa: S311 - no secret


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
    """Marks those of `pairs` whose assets are both ready, those that look alike, and holds those with a failed one."""
    ready = pairs.filter(ready=False, video_0__asset__state="ready", video_1__asset__state="ready")
    if Pair.objects.filter(pk__in=ready.values("pk")).update(ready=True):
        mark_look_alikes(pairs)
    broken = pairs.filter(Q(video_0__asset__state="failed") | Q(video_1__asset__state="failed"), held="")
    Pair.objects.filter(pk__in=broken.values("pk")).update(held=MEDIA_FAILED)


# The place of each pair in the queue as one number, which grows with what is due sooner: first whether its study runs,
# then the pair's priority (all below -255 and all above 255 are alike), then how early it stands in its study. Those of
# a running study are positive, of a paused one negative; an asset that no open study pairs comes last of all. Assets
# that somebody holds are passed over, so this waits for nobody.
PRIORITISE = """
    WITH touched AS MATERIALIZED (
        SELECT asset.id FROM catalog_asset asset
         WHERE asset.state IN ('pending', 'processing') AND asset.id IN (
                   SELECT video.asset_id FROM catalog_pair pair JOIN catalog_video video ON video.id = pair.video_0_id
                    WHERE pair.study_id = %(study)s AND pair.id >= %(first)s AND NOT pair.ready
                    UNION ALL
                   SELECT video.asset_id FROM catalog_pair pair JOIN catalog_video video ON video.id = pair.video_1_id
                    WHERE pair.study_id = %(study)s AND pair.id >= %(first)s AND NOT pair.ready)
    ), study AS MATERIALIZED (
        SELECT study.id, CASE study.state WHEN 'running' THEN 1 << 30 ELSE -(1 << 30) END AS tier,
               (SELECT min(pair.id) FROM catalog_pair pair WHERE pair.study_id = study.id) AS first
          FROM catalog_study study WHERE study.state <> 'closed'
    ), use AS (
        SELECT video.asset_id, pair.study_id, pair.id, pair.priority
          FROM touched JOIN catalog_video video ON video.asset_id = touched.id
               JOIN catalog_pair pair ON pair.video_0_id = video.id
         UNION ALL
        SELECT video.asset_id, pair.study_id, pair.id, pair.priority
          FROM touched JOIN catalog_video video ON video.asset_id = touched.id
               JOIN catalog_pair pair ON pair.video_1_id = video.id
    ), place AS (
        SELECT use.asset_id, max(study.tier + (least(greatest(use.priority, -255), 255) << 22)
                                 + greatest(0, (1 << 22) - 1 - (use.id - study.first)))::integer AS priority
          FROM use JOIN study ON study.id = use.study_id
         GROUP BY use.asset_id
    ), moved AS MATERIALIZED (
        SELECT asset.id, coalesce(place.priority, -2147483648) AS priority
          FROM touched LEFT JOIN place ON place.asset_id = touched.id JOIN catalog_asset asset ON asset.id = touched.id
         WHERE asset.priority <> coalesce(place.priority, -2147483648)
           FOR NO KEY UPDATE OF asset SKIP LOCKED
    )
    UPDATE catalog_asset asset SET priority = moved.priority FROM moved WHERE asset.id = moved.id
"""


def prioritise(study: Study, first_pair_id: int | None = None) -> int:
    """Lets the unfinished videos of the study's pairs, from `first_pair_id` on, be prepared in the order of serving.

    Call it when pairs were written, when their priority changed, and when the study was paused, resumed or closed. An
    asset has the place of the first of its pairs, in whatever study. Answers how many assets have another place now.
    """
    with connection.cursor() as cursor:
        cursor.execute(PRIORITISE, {"study": study.pk, "first": first_pair_id or 0})
        return cursor.rowcount


def waiting(most: int) -> list[int]:
    """Assets whose message may be lost: those whose pause is over, and those that have waited too long."""
    now = timezone.now()
    due = Q(wait_until__lte=now) | Q(wait_until=None, created_at__lt=now - RESEND_AFTER)
    rows = Asset.objects.filter(due, state=Asset.State.PENDING, quarantined_at=None).order_by("-priority", "pk")
    return list(rows.values_list("pk", flat=True)[:most])


def give_up_abandoned() -> tuple[int, int]:
    """Puts back assets whose worker's heartbeat stopped, and fails those begun `MOST_ATTEMPTS` times; how many each.

    A worker that was only slow finds its claim gone and stores nothing more.
    """
    abandoned = Asset.objects.filter(state=Asset.State.PROCESSING, heartbeat_at__lt=timezone.now() - ABANDONED_AFTER)
    hopeless = abandoned.filter(attempts__gte=MOST_ATTEMPTS)
    for asset in hopeless:
        finish_failed(asset, f"Preparing this video was begun {MOST_ATTEMPTS} times and never came to an end.")
    put_back = abandoned.filter(attempts__lt=MOST_ATTEMPTS).update(state=Asset.State.PENDING, heartbeat_at=None)
    return put_back, len(hopeless)
