"""Send the files of releases, and nothing of a release that is being made, failed, was cancelled or was withdrawn.

Files with videos or frames are not sent either while one of the videos is in quarantine.
"""

import time
from typing import Any

from django.core.files.storage import default_storage
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych import downloads
from diptych.json_lines import MEDIA_TYPE
from diptych.ranges import begins_later
from diptych.refusals import NotThere, Refused
from media.stored_files import trouble_of_storage
from releases import videos
from releases.models import Release, ReleaseFile, Tombstone

CONTENT_TYPES = {
    "jsonl": MEDIA_TYPE,
    "json": "application/json",
    "md": "text/markdown; charset=utf-8",
    "mp4": "video/mp4",
    "parquet": "application/vnd.apache.parquet",
    "tar": "application/x-tar",
}
#: Seconds after which a download looks again whether its file may still be sent.
LOOK_EVERY_S = 1.0


def is_withdrawn(release: Release) -> bool:
    """Return whether something in the release was withdrawn."""
    return Tombstone.objects.filter(release=release).exists()


def require_complete(release: Release) -> None:
    """Raise Refused, with a sentence that says why nothing of the release can be downloaded."""
    said = {"n": release.number}
    if is_withdrawn(release):
        sentence = _("Release %(n)s was withdrawn. Its page says why, and which release follows it.")
        raise Refused(sentence % said, "withdrawn", status=410)
    if release.is_open:
        raise Refused(_("Release %(n)s is still being made. Try again when it is complete.") % said, "not_complete")
    if release.state != Release.State.DONE:
        raise Refused(_("Release %(n)s was not made to its end. Make a new one.") % said, "not_complete")


def send(request: HttpRequest, release: Release, path: str, *, actor: User) -> HttpResponseBase:
    """Respond with a file of a complete release, or with the range that was asked for. Raise Refused or NotThere."""
    require_complete(release)
    file = ReleaseFile.objects.filter(release=release, path=path).select_related("release").first()
    if file is None:
        raise NotThere(_("Release %(n)s has no file %(path)s.") % {"n": release.number, "path": path})
    _require_no_quarantine(file)
    with trouble_of_storage():
        stored = default_storage.open(file.stored_name)
    response = downloads.send_stored(
        request,
        WhileAllowed(stored, file),
        name=f"{release.study.slug}-{release.number}-{path.replace('/', '-')}",
        content_type=CONTENT_TYPES.get(path.rpartition(".")[2], "application/octet-stream"),
        size=file.byte_size,
        sha256=file.sha256,
        at=file.created_at,
    )
    if (
        response.status_code in {200, 206}
        and request.method == "GET"
        and not begins_later(request.headers.get("Range"))
    ):
        after = {"release": release.number, "path": path}
        audit.record("release.downloaded", release, actor=actor, study_slug=release.study.slug, after=after)
    return response


def waits(file: ReleaseFile) -> bool:
    """Return whether the file is made from those of videos, one of which is in quarantine now. That may end again."""
    return file.kind in videos.WITH_FILES and videos.in_quarantine(file.release) > 0


def _require_no_quarantine(file: ReleaseFile) -> None:
    """Raise Refused if the file may not be sent because of a quarantine."""
    if waits(file):
        sentence = _(
            "A video of release %(n)s is in quarantine. Its videos and frames cannot be downloaded until a safety "
            "officer has decided. The other files can."
        )
        raise Refused(sentence % {"n": file.release.number}, "quarantined")


class WhileAllowed:
    """A stored file that can be read until it may not be sent. The connection then breaks before its length."""

    def __init__(self, file: Any, row: ReleaseFile) -> None:
        self.file, self.row = file, row
        self.looked_at = time.monotonic()

    def read(self, size: int, /) -> bytes:
        """Return the next bytes. Raise OSError once the file may not be sent any more."""
        if time.monotonic() - self.looked_at > LOOK_EVERY_S:
            self.looked_at = time.monotonic()
            if is_withdrawn(self.row.release) or waits(self.row):
                raise OSError(f"{self.row} of {self.row.release} was withdrawn or quarantined during a download")
        block: bytes = self.file.read(size)
        return block

    def seek(self, offset: int, /) -> object:
        """Go to a position."""
        return self.file.seek(offset)

    def close(self) -> None:
        """Close the file."""
        self.file.close()
