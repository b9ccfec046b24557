"""Compare database rows with files in storage, and repair the differences that can be repaired.

Imports and workers can run meanwhile. So only files that are a day old count as unexpected, and each difference is
checked again, the file first, before it is reported or repaired. Storage is checked in 256 parts, of which one at a
time is in memory. Quarantine is not checked.
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

#: The least age of an unexpected file. A younger one can belong to an import or a process that is still writing.
ORPHAN_AGE = timedelta(days=1)
#: The longest time that moving files into quarantine can take: they are moved immediately, or by a sweep.
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
#: What is wrong, and what people can do, for each kind.
KINDS = {
    RENDITION_MISSING: "a file made from a video is missing; --mend prepares the video again",
    RENDITION_WRONG_SIZE: "a file made from a video has the wrong size; --mend prepares the video again",
    ORIGINAL_MISSING: "an original is missing; put back the file whose SHA-256 is its name",
    ORIGINAL_WRONG_SIZE: "an original has the wrong size; put back the file whose SHA-256 is its name",
    ORPHAN: "a file that no row names; --mend deletes it, an original only while no import stores files",
    HALF_WRITTEN: "a file that a killed process left incomplete; --mend deletes it",
    OUTSIDE_QUARANTINE: "a file of a video in quarantine was not moved there; a worker moves it: check that one runs",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One file that differs from the rows. `asset` is a public id, or empty if no asset is concerned."""

    kind: str
    name: str
    asset: str = ""
    mended: str = ""


class Expected(NamedTuple):
    """A file that a row names. The size in bytes is None if the row was written by an earlier version."""

    name: str
    size: int | None


def differences(progress: Progress | None = None) -> Iterator[Difference]:
    """Yield all differences between rows and storage. Raises OSError if storage cannot be read."""
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
    found_files = {file.name: file for file in files_below(f"{RENDITIONS}/{part}")}
    for asset in ready:
        for expected in renditions_of(asset):
            yield from _missing(asset, expected, found_files, (RENDITION_MISSING, RENDITION_WRONG_SIZE))
    rows = _by_public_id(file.name.split("/")[2] for file in found_files.values())
    for file in found_files.values():
        yield from _unexpected_rendition(file, rows.get(file.name.split("/")[2]))


def renditions_of(asset: Asset) -> list[Expected]:
    """Return the files that a ready asset must have."""
    sizes = asset.facts.get("files")
    if sizes is not None:
        folder = names.folder(asset.public_id)
        return [Expected(f"{folder}/{name}", size) for name, size in sizes.items()]
    frames = [names.frame(asset.public_id, number) for number in range(names.TRAINING_FRAMES)]
    known = [names.playback(asset.public_id), names.poster(asset.public_id), *frames]
    return [Expected(name, None) for name in known]


def _unexpected_rendition(file: Stored, asset: Asset | None) -> Iterator[Difference]:
    """Yield what is wrong with a file below `renditions`. It belongs to `asset`, or to none."""
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
    """Return whether a file in the asset's folder can belong to it. An open asset can have any file."""
    if asset.state == Asset.State.FAILED:
        return False
    return asset.state != Asset.State.DONE or name in {expected.name for expected in renditions_of(asset)}


# --- Originals --------------------------------------------------------------------------------------------------


def _originals(part: str) -> Iterator[Difference]:
    assets = list(_in_use(Asset.objects.filter(sha256__startswith=part)))
    found_files = {file.name: file for file in files_below(f"{ORIGINALS}/{part}")}
    for asset in assets:
        expected = Expected(asset.original, asset.byte_size)
        yield from _missing(asset, expected, found_files, (ORIGINAL_MISSING, ORIGINAL_WRONG_SIZE))
    rows = _by_sha256(file.name.rpartition("/")[2] for file in found_files.values())
    for file in found_files.values():
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
    """Yield uploaded pieces that no import knows."""
    for file in files_below(IMPORTS):
        if _is_old(file) and (is_half_written(file.name) or not _is_of_import(file.name)):
            yield Difference(HALF_WRITTEN if is_half_written(file.name) else ORPHAN, file.name)


def _is_of_import(name: str) -> bool:
    """Return whether a file below `imports/` belongs to a known upload or, if it is another file, to a known import."""
    _, job, *rest = name.split("/")
    if len(rest) > 1 and rest[0] == "files":
        return Upload.objects.filter(public_id=rest[1], import_job__public_id=job).exists()
    return Import.objects.filter(public_id=job).exists()


# --- Shared helpers -----------------------------------------------------------------------------------------------


def _in_use(assets: QuerySet[Asset]) -> QuerySet[Asset]:
    return assets.filter(quarantined_at=None)


def _by_public_id(ids: Iterable[str]) -> dict[str, Asset]:
    return {asset.public_id: asset for asset in _chunked("public_id__in", set(ids))}


def _by_sha256(hashes: Iterable[str]) -> dict[str, Asset]:
    return {asset.sha256: asset for asset in _chunked("sha256__in", set(hashes))}


def _chunked(lookup: str, wanted: set[str]) -> Iterator[Asset]:
    """Yield the assets. Call it after storage was listed, so that rows of new files are found."""
    every = sorted(wanted)
    for start in range(0, len(every), AT_ONCE):
        yield from Asset.objects.filter(**{lookup: every[start : start + AT_ONCE]})


def _missing(
    asset: Asset, expected: Expected, found_files: dict[str, Stored], kinds: tuple[str, str]
) -> Iterator[Difference]:
    """Yield what is wrong with a file that the row names. `kinds` are those for a missing file and a wrong size."""

    def wrong(found: Stored | None) -> str:
        if found is None:
            return kinds[0]
        return kinds[1] if expected.size not in (None, found.size) else ""

    if wrong(found_files.get(expected.name)) and (kind := wrong(_look(expected.name))) and _unchanged(asset):
        yield Difference(kind, expected.name, asset.public_id)


def _look(name: str) -> Stored | None:
    """Return the present state of a file, or None if it does not exist."""
    try:
        if not default_storage.exists(name):
            return None
        return Stored(name, default_storage.size(name), default_storage.get_modified_time(name))
    except FileNotFoundError:
        return None


def _unchanged(asset: Asset) -> bool:
    """Return whether the asset's row has not changed: it is not being prepared again and not in quarantine."""
    return _in_use(Asset.objects.filter(pk=asset.pk, state=asset.state, fence=asset.fence)).exists()


def _is_old(file: Stored) -> bool:
    return file.modified_at < timezone.now() - ORPHAN_AGE


def _outside_quarantine(file: Stored, asset: Asset) -> Iterator[Difference]:
    """Yield a file that should have been moved into quarantine by now."""
    since: datetime | None = asset.quarantined_at
    in_force = Quarantine.objects.filter(asset=asset, released_at=None)
    if since and since < timezone.now() - MOVED_WITHIN and in_force.exists() and _look(file.name):
        yield Difference(OUTSIDE_QUARANTINE, file.name, asset.public_id)


# --- Repairs ------------------------------------------------------------------------------------------------------


def mend(difference: Difference) -> Difference:
    """Repair a difference if that is possible. Return it with what was done. It can be repeated.

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
    """Delete a file if it is old and no row names it. An original is kept while an import stores files."""
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
    """Yield the difference if it still exists."""
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
