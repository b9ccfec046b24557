"""Move an asset's files out of reach of every address, and back. Repeating either is harmless.

Everything in the folder of the renditions is moved, whatever its name. So files of later versions, and files that a
killed worker left, are moved too.
"""

from collections.abc import Iterator

from django.core.files import File
from django.core.files.storage import Storage, default_storage

from media import names
from media.models import Asset


def set_apart(asset: Asset) -> None:
    """Move the original and the renditions into the asset's quarantine folder. Raises OSError."""
    _move_all(names.folder(asset.public_id), names.renditions_apart(asset.public_id))
    _move(asset.original, names.original_apart(asset.public_id))


def bring_back(asset: Asset) -> None:
    """Move the original and the renditions back to their normal places. Raises OSError."""
    _move(names.original_apart(asset.public_id), asset.original)
    _move_all(names.renditions_apart(asset.public_id), names.folder(asset.public_id))


def _move_all(folder: str, target: str) -> None:
    for path in list(_files(folder)):
        _move(f"{folder}/{path}", f"{target}/{path}")


def _files(folder: str) -> Iterator[str]:
    """Return the paths within a folder of the storage, or none if the folder does not exist."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from files
    for inner in folders:
        yield from (f"{inner}/{path}" for path in _files(f"{folder}/{inner}"))


def _move(name: str, target: str) -> None:
    """Move one file, and replace the file at `target`. A missing file was moved before."""
    try:
        move = getattr(default_storage, "move", None)
        if move:
            move(name, target)
        else:
            _copy_and_delete(default_storage, name, target)
    except FileNotFoundError:
        pass


def _copy_and_delete(storage: Storage, name: str, target: str) -> None:
    """Move a file in a storage that cannot rename, such as S3. The copy is complete before the original is deleted."""
    with storage.open(name) as file:
        if storage.exists(target):
            storage.delete(target)
        storage.save(target, File(file))
    storage.delete(name)
