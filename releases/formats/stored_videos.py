"""Read the stored files of the videos of a release, and stop the release if they are not what was frozen."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from diptych.refusals import Refused
from media.stored_files import trouble_of_storage
from releases import videos
from releases.formats.rows import together
from releases.items import Items
from releases.models import ReleaseVideo

#: Videos after which the job looks again whether one of the release is in quarantine.
LOOK_EVERY = 100


class Checked:
    """A stored file that is read once, and must have the frozen number of bytes."""

    def __init__(self, file: IO[bytes], row: ReleaseVideo, size: int) -> None:
        self.file, self.row, self.left = file, row, size
        self._digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, or the rest. Raise Refused if the file is shorter than it was, and OSError."""
        block, wanted = b"", min(size, self.left)
        while len(block) < wanted:
            with trouble_of_storage():
                more = self.file.read(wanted - len(block))
            if not more:
                raise Refused(_changed(self.row), "changed")
            block += more
        self.left -= len(block)
        self._digest.update(block)
        return block

    def require(self, sha256: str | None = None) -> None:
        """Raise Refused if the file is longer than it was, or if its bytes do not have this SHA-256."""
        if self.left or self.file.read(1) or (sha256 is not None and self._digest.hexdigest() != sha256):
            raise Refused(_changed(self.row), "changed")


@contextmanager
def stored(row: ReleaseVideo, name: str, size: int) -> Iterator[Checked]:
    """Open a stored file of a video. Raise Refused if it is missing or the video is in quarantine, and OSError."""
    try:
        with trouble_of_storage():
            file: Any = default_storage.open(name)
    except FileNotFoundError:
        videos.refuse_quarantined(row.release)
        raise Refused(_missing(row), "no_files") from None
    with file:
        yield Checked(file, row, size)


def watched(items: Items, rows: Iterable[ReleaseVideo]) -> Iterator[ReleaseVideo]:
    """Yield videos, and report each one as progress. Raise Refused if one of the release is in quarantine."""
    for group in together(rows, LOOK_EVERY):
        videos.refuse_quarantined(items.release)
        for row in group:
            yield row
            items.progress.advance()


def _missing(row: ReleaseVideo) -> str:
    sentence = _(
        "The storage lacks a file of video %(video)s. Have the video prepared again, or make the release without "
        "videos and frames."
    )
    return sentence % {"video": row.video.public_id}


def _changed(row: ReleaseVideo) -> str:
    sentence = _(
        "A stored file of video %(video)s has other bytes than when the answers were copied. Make the release again."
    )
    return sentence % {"video": row.video.public_id}
