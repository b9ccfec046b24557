"""Original files in storage: name them, store them, and delete those that no asset names."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

from django.core.files import File
from django.core.files.storage import default_storage

from diptych.database import locks
from media.hashing import sha256_of
from media.models import Asset


class Fingerprint(NamedTuple):
    """The SHA-256 in hex and the size in bytes of a file when it was read."""

    sha256: str
    size: int


class ContentTrouble(Exception):
    """A file's content cannot be stored as an original; `str()` says why."""


def original_name(sha256: str) -> str:
    """Return the name of an original in storage. 256 first-level folders keep listings short."""
    return f"originals/{sha256[:2]}/{sha256}"


def is_kept(mark: Fingerprint) -> bool:
    """Return whether storage has the original with these bytes. Reads the whole file. Raises OSError."""
    name = original_name(mark.sha256)
    if not default_storage.exists(name):
        return False
    with default_storage.open(name) as there:
        return bool(there.size == mark.size and sha256_of(there) == mark.sha256)


def keep(content: BinaryIO, mark: Fingerprint) -> None:
    """Put an opened file into storage. Raises ContentTrouble, and OSError if storage cannot write it.

    A file that already has this name is replaced, never deleted first: another import may have committed a row that
    names it.
    """
    default_storage.save(original_name(mark.sha256), Checked(content, mark))


class Checked(File):
    """A file whose reading fails at the end if its bytes differ from the fingerprint, so that it is not stored."""

    def __init__(self, file: Any, mark: Fingerprint) -> None:
        super().__init__(file)
        self.mark = mark

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Yield the file in blocks. Raises ContentTrouble after the last block, or if the file cannot be read."""
        digest, blocks = hashlib.sha256(), super().chunks(chunk_size)
        while True:
            try:
                block = next(blocks, None)
            except OSError as error:
                raise ContentTrouble(error.strerror or str(error)) from error
            if block is None:
                break
            digest.update(block)
            yield block
        if digest.hexdigest() != self.mark.sha256:
            raise ContentTrouble("it changed while it was being imported")


@contextmanager
def keeping() -> Iterator[None]:
    """Hold a shared lock while files are stored and the rows that name them are committed.

    `remove_unnamed` does nothing meanwhile. The connection holds the lock, not a transaction, because storing may take
    hours. The lock ends with the process.
    """
    with locks.shared(locks.Key.UNNAMED_FILES):
        yield


def remove_unnamed(digests: list[str]) -> bool:
    """Delete those of these originals that no asset names. Return False, and do nothing, while an import is `keeping`.

    The age of a file proves nothing: an import may use a file that has been in storage for a week, and commit in an
    hour.
    """
    with locks.try_exclusive(locks.Key.UNNAMED_FILES) as held:
        if not held:
            return False
        named = set(Asset.objects.filter(sha256__in=digests).values_list("sha256", flat=True))
        for digest in set(digests) - named:
            default_storage.delete(original_name(digest))
    return True
