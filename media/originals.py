"""The original files in storage: their names, putting them there, and deleting those that no asset names."""

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
    """What a file held when it was read: its SHA-256 in hex, and its size in bytes."""

    sha256: str
    size: int


class ContentTrouble(Exception):
    """A file's content cannot be stored as an original; `str()` says why."""


def original_name(sha256: str) -> str:
    """Return where an original lies in storage; 256 first-level folders keep listings short."""
    return f"originals/{sha256[:2]}/{sha256}"


def is_kept(mark: Fingerprint) -> bool:
    """Return whether storage has the original with these bytes. Reads the whole file. Raises OSError."""
    name = original_name(mark.sha256)
    if not default_storage.exists(name):
        return False
    with default_storage.open(name) as there:
        return bool(there.size == mark.size and sha256_of(there) == mark.sha256)


def keep(content: BinaryIO, mark: Fingerprint) -> None:
    """Put an opened file into storage. Raises ContentTrouble, and OSError where storage takes nothing.

    Other bytes under the name are replaced and never deleted first: another import may have committed a row that
    names them.
    """
    default_storage.save(original_name(mark.sha256), Checked(content, mark))


class Checked(File):
    """A file that fails at its end, and so is not stored, if its bytes differ from those that were fingerprinted."""

    def __init__(self, file: Any, mark: Fingerprint) -> None:
        super().__init__(file)
        self.mark = mark

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Yield the file in blocks. Raises ContentTrouble after the last one, and where the file cannot be read."""
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
    """Hold a lock while files are kept and the rows that name them are committed: nobody removes unnamed files then.

    The connection holds the lock, not a transaction: keeping may take hours. It ends with its process.
    """
    with locks.shared(locks.Key.UNNAMED_FILES):
        yield


def remove_unnamed(digests: list[str]) -> bool:
    """Delete those of these originals that no asset names. While an import is `keeping`, do nothing and return False.

    Age would be no proof: an import that finds a file of last week in storage uses it, and commits in an hour.
    """
    with locks.try_exclusive(locks.Key.UNNAMED_FILES) as held:
        if not held:
            return False
        named = set(Asset.objects.filter(sha256__in=digests).values_list("sha256", flat=True))
        for digest in set(digests) - named:
            default_storage.delete(original_name(digest))
    return True
