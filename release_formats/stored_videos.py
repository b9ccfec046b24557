"""Read the stored files of the videos of a release, and stop the release if they are not what was frozen."""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, NoReturn

from django.core.files.storage import default_storage
from django.utils.translation import gettext_noop

from diptych.refusals import Refused
from media.stored_files import trouble_of_storage
from release_formats.rows import together
from releases import videos
from releases.items import Items
from releases.models import ReleaseVideo

#: Videos after which the job looks again whether one of the release is in quarantine.
LOOK_EVERY = 100
# Workers write these sentences in English, and pages translate them.
MISSING = gettext_noop(
    "The storage lacks a file of one of the videos. The command check_media lists such videos. Have them prepared "
    "again, or make the release without videos and frames."
)
CHANGED = gettext_noop(
    "A stored file of one of the videos has other bytes than when the answers were copied. Make the release again. The "
    "log names the video."
)

logger = logging.getLogger(__name__)


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
                self.refuse()
            block += more
        self.left -= len(block)
        self._digest.update(block)
        return block

    def require(self, sha256: str | None = None) -> None:
        """Raise Refused if the file is longer than it was, or if its bytes do not have this SHA-256."""
        if self.left or self.file.read(1) or (sha256 is not None and self._digest.hexdigest() != sha256):
            self.refuse()

    def refuse(self) -> NoReturn:
        """Raise Refused because the file is another one."""
        logger.error("A file of video %s has other bytes than its release stated", self.row.video.public_id)
        raise Refused(CHANGED, "changed")


@contextmanager
def stored(row: ReleaseVideo, name: str, size: int) -> Iterator[Checked]:
    """Open a stored file of a video. Raise Refused if it is missing or the video is in quarantine, and OSError."""
    try:
        with trouble_of_storage():
            file: Any = default_storage.open(name)
    except FileNotFoundError:
        videos.refuse_quarantined(row.release)
        logger.error("The storage lacks %s of video %s", name, row.video.public_id)
        raise Refused(MISSING, "no_files") from None
    with file:
        yield Checked(file, row, size)


def watched(items: Items, rows: Iterable[ReleaseVideo]) -> Iterator[ReleaseVideo]:
    """Yield videos, and report each one as progress. Raise Refused if one of the release is in quarantine."""
    for group in together(rows, LOOK_EVERY):
        videos.refuse_quarantined(items.release)
        for row in group:
            yield row
            items.progress.advance()
