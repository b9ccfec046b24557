"""Moves an asset's files out of reach of every address, and back. Repeating either is harmless.

What lies in the folder of its renditions is moved whatever it is called, so files that a later version makes, or
that a killed worker left, go along.
"""

from collections.abc import Iterator

from django.core.files import File
from django.core.files.storage import Storage, default_storage

from media import names
from media.models import Asset


def set_apart(asset: Asset) -> None:
    """Original and renditions go into the asset's quarantine folder. Raises OSError."""
    _move_all(names.folder(asset.public_id), names.renditions_apart(asset.public_id))
    _move(asset.original, names.original_apart(asset.public_id))


def bring_back(asset: Asset) -> None:
    """Original and renditions go back to where they were. Raises OSError."""
    _move(names.original_apart(asset.public_id), asset.original)
    _move_all(names.renditions_apart(asset.public_id), names.folder(asset.public_id))


def _move_all(folder: str, target: str) -> None:
    for path in list(_files(folder)):
        _move(f"{folder}/{path}", f"{target}/{path}")


def _files(folder: str) -> Iterator[str]:
    """Paths within a folder of storage; none if it is not there."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from files
    for inner in folders:
        yield from (f"{inner}/{path}" for path in _files(f"{folder}/{inner}"))


def _move(name: str, target: str) -> None:
    """Moves one file, replacing what lies under `target`. What is not there was moved before."""
    try:
        move = getattr(default_storage, "move", None)
        if move:
            move(name, target)
        else:
            _copy_and_delete(default_storage, name, target)
    except FileNotFoundError:
        pass


def _copy_and_delete(storage: Storage, name: str, target: str) -> None:
    """For storages that cannot rename, such as S3: the copy is whole before the other goes."""
    with storage.open(name) as file:
        if storage.exists(target):
            storage.delete(target)
        storage.save(target, File(file))
    storage.delete(name)
