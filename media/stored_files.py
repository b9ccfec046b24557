"""List the files of any storage with their sizes and ages, and remove partly written ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from django.core.files.storage import default_storage


class Stored(NamedTuple):
    """One file in storage."""

    name: str
    size: int
    modified_at: datetime


@contextmanager
def trouble_of_storage() -> Iterator[None]:
    """Turn every error of a storage into OSError. Storages on a network have error classes of their own."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def files_below(folder: str) -> Iterator[Stored]:
    """Yield the files in a folder of storage, at any depth; nothing if it does not exist. Raises OSError.

    Files that are deleted meanwhile are left out.
    """
    bucket = getattr(default_storage, "bucket", None)
    if bucket is not None:
        yield from _objects_below(bucket, folder)
        return
    for name in names_below(folder):
        try:
            yield Stored(name, default_storage.size(name), default_storage.get_modified_time(name))
        except FileNotFoundError:
            continue


def _objects_below(bucket: object, folder: str) -> Iterator[Stored]:
    """Yield the objects of a bucket. A listing has their sizes and ages, so no request for each file is needed."""
    location = getattr(default_storage, "location", "").strip("/")
    root = f"{location}/" if location else ""
    for found in bucket.objects.filter(Prefix=f"{root}{folder}/"):  # type: ignore[attr-defined]
        yield Stored(found.key.removeprefix(root), found.size, found.last_modified)


def names_below(folder: str) -> Iterator[str]:
    """Yield the names of the files in a folder of storage, at any depth; none if it does not exist. Raises OSError."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" for name in files)
    for inner in folders:
        yield from names_below(f"{folder}/{inner}")


def is_half_written(name: str) -> bool:
    """Return whether a killed writer left this file (see `diptych.storage`)."""
    last = name.rpartition("/")[2]
    return last.startswith(".") and last.endswith(".part")


def remove_half_written(folder: str) -> None:
    """Delete files that killed writers left in a folder to which no other process writes. Raises OSError."""
    with trouble_of_storage():
        for name in names_below(folder):
            if is_half_written(name):
                default_storage.delete(name)
