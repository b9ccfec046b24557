"""What rows say of files against what lies in storage: differences, and the mending of those that can be mended.

Imports and workers may run meanwhile. A row is believed only as far as it was written before storage was looked at, a
file only if it is a day old, and whatever looks wrong is looked at once more, file first, before it is told or mended.
Storage is gone through in 256 parts, so that memory holds one of them. Nothing here looks into quarantine.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.utils import timezone

from catalog.media_retry import prepare_again
from importing.models import Import, Upload
from jobs.progress import Progress
from media import names
from media.hashing import sha256_of
from media.models import Asset
from media.originals import original_name, remove_unnamed
from media.stored_files import Stored, files_below, is_half_written
from safety.models import Quarantine

#: A file that no row names may belong to an import that has not written its rows yet, one half written to a writer.
ORPHAN_AGE = timedelta(days=1)
#: Files of a quarantine are moved at once, or by a sweep every few seconds.
MOVED_WITHIN = timedelta(minutes=5)
AT_ONCE = 5_000
PARTS = [f"{number:02x}" for number in range(256)]
ORIGINALS, RENDITIONS, IMPORTS = "originals", "renditions", "imports"

RENDITION_MISSING = "rendition_missing"
RENDITION_WRONG_SIZE = "rendition_wrong_size"
ORIGINAL_MISSING = "original_missing"
ORIGINAL_WRONG_SIZE = "original_wrong_size"
ORPHAN = "orphan"
HALF_WRITTEN = "half_written"
OUTSIDE_QUARANTINE = "outside_quarantine"
#: What is wrong, for people, and what they can do.
KINDS = {
    RENDITION_MISSING: "made from a video and not there; --mend prepares the video again",
    RENDITION_WRONG_SIZE: "made from a video and of another size than when it was stored; --mend prepares it again",
    ORIGINAL_MISSING: "an original that is not there; put the file with the SHA-256 of its name back",
    ORIGINAL_WRONG_SIZE: "an original of another size than when it came; put the file with that SHA-256 back",
    ORPHAN: "a file that no row names; --mend deletes it, an original only while no import keeps files",
    HALF_WRITTEN: "left half written by a process that was killed; --mend deletes it",
    OUTSIDE_QUARANTINE: "of a video in quarantine and not moved there; see that a worker runs, it is moved by itself",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One file that is not as the rows say; `asset` is a public id, empty where no asset has to do with it."""

    kind: str
    name: str
    asset: str = ""
    mended: str = ""


class Expected(NamedTuple):
    """What a row says of one file; the size is None where rows of an earlier version did not keep it."""

    name: str
    size: int | None


def differences(progress: Progress | None = None) -> Iterator[Difference]:
    """All differences between rows and storage, as they are found. Raises OSError where storage cannot be read."""
    progress = progress or Progress()
    progress.begin("Comparing rows with files", 2 * len(PARTS) + 1)
    for part in PARTS:
        yield from _renditions(part)
        progress.advance()
    for part in PARTS:
        yield from _originals(part)
        progress.advance()
    yield from _uploads()
    progress.advance()


# --- Renditions -------------------------------------------------------------------------------------------------


def _renditions(part: str) -> Iterator[Difference]:
    ready = list(_in_use(Asset.objects.filter(public_id__startswith=part, state=Asset.State.DONE)))
    there = {file.name: file for file in files_below(f"{RENDITIONS}/{part}")}
    for asset in ready:
        for expected in renditions_of(asset):
            yield from _missing(asset, expected, there, (RENDITION_MISSING, RENDITION_WRONG_SIZE))
    rows = _by_public_id(file.name.split("/")[2] for file in there.values())
    for file in there.values():
        yield from _unexpected_rendition(file, rows.get(file.name.split("/")[2]))


def renditions_of(asset: Asset) -> list[Expected]:
    """The files that a ready asset has."""
    sizes = asset.facts.get("files")
    if sizes is not None:
        folder = names.folder(asset.public_id)
        return [Expected(f"{folder}/{name}", size) for name, size in sizes.items()]
    frames = [names.frame(asset.public_id, number) for number in range(names.TRAINING_FRAMES)]
    known = [names.playback(asset.public_id), names.poster(asset.public_id), *frames]
    return [Expected(name, None) for name in known]


def _unexpected_rendition(file: Stored, asset: Asset | None) -> Iterator[Difference]:
    """What is wrong with a file below `renditions`, which belongs to the asset, or to none."""
    if is_half_written(file.name):
        if _is_old(file):
            yield Difference(HALF_WRITTEN, file.name, asset.public_id if asset else "")
    elif asset is None:
        if _is_old(file):
            yield Difference(ORPHAN, file.name)
    elif asset.quarantined_at is not None:
        yield from _outside_quarantine(file, asset)
    elif not _may_have(asset, file.name) and _is_old(file):
        yield Difference(ORPHAN, file.name, asset.public_id)


def _may_have(asset: Asset, name: str) -> bool:
    """Whether a file in the asset's folder is its own. One that waits, or is being prepared, may have all."""
    if asset.state == Asset.State.FAILED:
        return False
    return asset.state != Asset.State.DONE or name in {expected.name for expected in renditions_of(asset)}


# --- Originals --------------------------------------------------------------------------------------------------


def _originals(part: str) -> Iterator[Difference]:
    assets = list(_in_use(Asset.objects.filter(sha256__startswith=part)))
    there = {file.name: file for file in files_below(f"{ORIGINALS}/{part}")}
    for asset in assets:
        expected = Expected(asset.original, asset.byte_size)
        yield from _missing(asset, expected, there, (ORIGINAL_MISSING, ORIGINAL_WRONG_SIZE))
    rows = _by_sha256(file.name.rpartition("/")[2] for file in there.values())
    for file in there.values():
        asset_of_file = rows.get(file.name.rpartition("/")[2])
        if is_half_written(file.name):
            if _is_old(file):
                yield Difference(HALF_WRITTEN, file.name)
        elif asset_of_file is None or asset_of_file.original != file.name:
            if _is_old(file):
                yield Difference(ORPHAN, file.name)
        elif asset_of_file.quarantined_at is not None:
            yield from _outside_quarantine(file, asset_of_file)


# --- Uploads ----------------------------------------------------------------------------------------------------


def _uploads() -> Iterator[Difference]:
    """Pieces of files that were uploaded into an import which does not know them."""
    for file in files_below(IMPORTS):
        if _is_old(file) and (is_half_written(file.name) or not _is_of_import(file.name)):
            yield Difference(HALF_WRITTEN if is_half_written(file.name) else ORPHAN, file.name)


def _is_of_import(name: str) -> bool:
    """Whether rows know `imports/JOB/files/UPLOAD/…`, or of other files there the import."""
    _, job, *rest = name.split("/")
    if len(rest) > 1 and rest[0] == "files":
        return Upload.objects.filter(public_id=rest[1], import_job__public_id=job).exists()
    return Import.objects.filter(public_id=job).exists()


# --- What several ask ---------------------------------------------------------------------------------------------


def _in_use(assets: QuerySet[Asset]) -> QuerySet[Asset]:
    return assets.filter(quarantined_at=None)


def _by_public_id(ids: Iterable[str]) -> dict[str, Asset]:
    return {asset.public_id: asset for asset in _chunked("public_id__in", set(ids))}


def _by_sha256(hashes: Iterable[str]) -> dict[str, Asset]:
    return {asset.sha256: asset for asset in _chunked("sha256__in", set(hashes))}


def _chunked(lookup: str, wanted: set[str]) -> Iterator[Asset]:
    """The assets, asked for after storage was looked at, so that rows of new files are there."""
    every = sorted(wanted)
    for start in range(0, len(every), AT_ONCE):
        yield from Asset.objects.filter(**{lookup: every[start : start + AT_ONCE]})


def _missing(
    asset: Asset, expected: Expected, there: dict[str, Stored], kinds: tuple[str, str]
) -> Iterator[Difference]:
    """What is wrong with a file that the row expects: `kinds` are for one that is not there, and of another size."""

    def wrong(found: Stored | None) -> str:
        if found is None:
            return kinds[0]
        return kinds[1] if expected.size not in (None, found.size) else ""

    if wrong(there.get(expected.name)) and (kind := wrong(_look(expected.name))) and _unchanged(asset):
        yield Difference(kind, expected.name, asset.public_id)


def _look(name: str) -> Stored | None:
    """The file as it is now."""
    try:
        if not default_storage.exists(name):
            return None
        return Stored(name, default_storage.size(name), default_storage.get_modified_time(name))
    except FileNotFoundError:
        return None


def _unchanged(asset: Asset) -> bool:
    """Whether the row says what it said: nobody prepares the asset, and nobody has taken it away."""
    return _in_use(Asset.objects.filter(pk=asset.pk, state=asset.state, fence=asset.fence)).exists()


def _is_old(file: Stored) -> bool:
    return file.modified_at < timezone.now() - ORPHAN_AGE


def _outside_quarantine(file: Stored, asset: Asset) -> Iterator[Difference]:
    """A file that should lie apart, and still does not though there was time to move it."""
    since: datetime | None = asset.quarantined_at
    in_force = Quarantine.objects.filter(asset=asset, released_at=None)
    if since and since < timezone.now() - MOVED_WITHIN and in_force.exists() and _look(file.name):
        yield Difference(OUTSIDE_QUARANTINE, file.name, asset.public_id)


# --- Mending ------------------------------------------------------------------------------------------------------


def mend(difference: Difference) -> Difference:
    """The difference with what was done about it; nothing where only a person can. Repeating it is harmless.

    Raises OSError.
    """
    if difference.kind in (RENDITION_MISSING, RENDITION_WRONG_SIZE):
        return replace(difference, mended=_prepare_again(difference.asset))
    if difference.kind in (ORPHAN, HALF_WRITTEN):
        return replace(difference, mended=_delete(difference))
    return difference


def _prepare_again(public_id: str) -> str:
    asset = Asset.objects.get(public_id=public_id)
    try:
        with default_storage.open(asset.original) as original:
            whole = sha256_of(original) == asset.sha256
    except FileNotFoundError:
        whole = False
    return "is prepared again" if whole and prepare_again(asset) else ""


def _delete(difference: Difference) -> str:
    """Deletes a file that is still old and that still no row names. An original stays while an import runs."""
    file = _look(difference.name)
    if file is None:
        return "is gone"
    if not _is_old(file) or not any(_still(difference, file)):
        return ""
    digest = file.name.rpartition("/")[2]
    if file.name == original_name(digest):
        return "is deleted" if remove_unnamed([digest]) else ""
    default_storage.delete(file.name)
    return "is deleted"


def _still(difference: Difference, file: Stored) -> Iterator[Any]:
    """The difference once more, if it is still one."""
    if is_half_written(file.name):
        yield difference
    elif file.name.startswith(f"{RENDITIONS}/"):
        asset = Asset.objects.filter(public_id=file.name.split("/")[2]).first()
        yield from (found for found in _unexpected_rendition(file, asset) if found.kind == difference.kind)
    elif file.name.startswith(f"{ORIGINALS}/"):
        if not Asset.objects.filter(sha256=file.name.rpartition("/")[2], original=file.name).exists():
            yield difference
    elif not _is_of_import(file.name):
        yield difference
