"""The files of storage one by one, with their sizes and ages, whatever storage it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from django.core.files.storage import default_storage


class Stored(NamedTuple):
    """A file in storage."""

    name: str
    size: int
    modified_at: datetime


@contextmanager
def trouble_of_storage() -> Iterator[None]:
    """Makes OSError of whatever a storage raises within: those that reach over a network have errors of their own."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def files_below(folder: str) -> Iterator[Stored]:
    """The files within a folder of storage, at any depth; none if it is not there. Raises OSError.

    One that goes away meanwhile is left out.
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
    """In S3 a listing tells sizes and ages, a thousand at a time; asking for them would take two requests a file."""
    location = getattr(default_storage, "location", "").strip("/")
    root = f"{location}/" if location else ""
    for found in bucket.objects.filter(Prefix=f"{root}{folder}/"):  # type: ignore[attr-defined]
        yield Stored(found.key.removeprefix(root), found.size, found.last_modified)


def names_below(folder: str) -> Iterator[str]:
    """Names of the files within a folder of storage, at any depth; none if it is not there. Raises OSError."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" for name in files)
    for inner in folders:
        yield from names_below(f"{folder}/{inner}")


def is_half_written(name: str) -> bool:
    """Whether a writer that was killed left this file (`diptych.storage`)."""
    last = name.rpartition("/")[2]
    return last.startswith(".") and last.endswith(".part")


def remove_half_written(folder: str) -> None:
    """Deletes what killed writers left in a folder into which nobody else writes. Raises OSError."""
    with trouble_of_storage():
        for name in names_below(folder):
            if is_half_written(name):
                default_storage.delete(name)
