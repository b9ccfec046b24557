"""Prepare videos for playing. Each is a job: `jobs.engine` claims, retries and ends it.

The video with the highest priority goes first. A video fails only if it cannot be played, or if it crashes ffmpeg or
its worker every time. A problem of this machine puts it back for a later attempt, any number of times.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from django.core.files import File
from django.core.files.storage import default_storage
from django.db.models import Q

from jobs import engine, policy
from jobs.heartbeat import heartbeat
from jobs.policy import DATABASE_TROUBLE, Policy
from media import names
from media.commands import ProgramKilled
from media.models import Asset
from media.probe import UnplayableMedia
from media.reasons import FilledIn
from media.scratch import scratch
from media.signals import asset_finished, files_left_behind
from media.stored_files import remove_half_written, trouble_of_storage
from media.transcode import Renditions, transcode

#: Files of one asset that are stored at the same time. Each waits for the disk or the network.
STORED_AT_ONCE = 4


class CannotBePrepared(Exception):
    """A video cannot be prepared. `str()` is the reason as the asset's row holds it; see `reasons`."""


def claim() -> Asset | None:
    """Claim the video that is due: of the highest priority, then the oldest. Return None if there is none."""
    return engine.claim_next(POLICY)


def process(asset: Asset) -> None:
    """Prepare a claimed asset. Afterwards it is done, has failed, or waits for another attempt."""
    engine.work_on(POLICY, asset, prepare)


def prepare(asset: Asset) -> None:
    """Transcode a claimed asset and store the files. Raises CannotBePrepared, TakenOver and trouble."""
    with scratch() as folder, heartbeat(POLICY, asset):
        original = fetch(asset, folder)
        try:
            renditions = transcode(original, folder / "out")
        except UnplayableMedia as refusal:
            raise CannotBePrepared(refusal.stored) from refusal
        renew(asset)
        sizes = store(asset, renditions)
    if not finish(asset, renditions, sizes):
        # A report may have moved the files before the last was stored.
        files_left_behind.send(sender=Asset, asset=asset)


def renew(asset: Asset) -> None:
    """Renew the claim before files are written. Raises Cancelled and TakenOver."""
    engine.beat(POLICY, asset.pk, asset.fence)
    engine.go_on_or_raise(POLICY, asset.pk, asset.fence)


def fetch(asset: Asset, folder: Path) -> Path:
    """Copy the original into the folder and return the path. Raises OSError."""
    target = folder / "original"
    with trouble_of_storage(), default_storage.open(asset.original) as stored, target.open("wb") as local:
        for block in stored.chunks():
            local.write(block)
    return target


def store(asset: Asset, renditions: Renditions) -> dict[str, int]:
    """Put the renditions into storage. Return the size in bytes of each, by its name within the asset's folder.

    Files that exist are replaced, and partly written files of an earlier worker are deleted. Raises OSError.
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
    """Put one file into storage. Raises OSError."""
    with trouble_of_storage(), path.open("rb") as file:
        default_storage.save(name, File(file))


def finish(asset: Asset, renditions: Renditions, sizes: dict[str, int]) -> bool:
    """Write the outcome if the claim still holds. Return whether it does."""
    facts = renditions.facts
    return engine.end(
        POLICY,
        asset.pk,
        asset.fence,
        Asset.State.DONE,
        facts={
            "original": asdict(renditions.source_facts),
            "playback": asdict(facts) | {"sha256": renditions.sha256},
            "files": sizes,
            "notes": renditions.notes,
            "keyframes": renditions.keyframes,
            "psnr_to_first": renditions.psnr_to_first,
        },
        frame_hashes=list(renditions.frame_hashes),
        duration_s=facts.duration_s,
        fps=facts.fps,
    )


def notify_of_end(asset: Asset) -> None:
    """Notify higher apps in the same transaction: pairs become ready, or are held because a video failed."""
    asset_finished.send(sender=Asset, asset=asset, state=asset.state, reason=asset.reason)


def trouble_text(error: Exception) -> str:
    """Return the reason that a video's row stores for the error that put it back."""
    return error.stored if isinstance(error, ProgramKilled) else policy.trouble_text(error)


#: Assets in quarantine are not prepared. After their release they continue. The index `asset_next` has the order.
NOT_QUARANTINED = Q(quarantined_at=None)

POLICY = Policy(
    model=Asset,
    name="Asset",
    task="media.tasks.transcode_asset",
    queue="media",
    claimable=NOT_QUARANTINED,
    held_while=NOT_QUARANTINED,
    order=("-priority", "pk"),
    final=(CannotBePrepared,),
    uncounted=(OSError, *DATABASE_TROUBLE),  # of this machine
    counted=(Exception,),  # errors that the video itself may cause
    pause=policy.drawn(timedelta(seconds=15), longest=timedelta(minutes=30)),
    trouble_text=trouble_text,
    tried_in_vain=FilledIn("tried_in_vain"),
    begun_in_vain=FilledIn("begun_in_vain"),
    ended=notify_of_end,
)
