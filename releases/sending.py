"""Send the files of releases, and nothing of a release that is being made, failed, was cancelled or was withdrawn.

With `MEDIA_DELIVERY=s3` the response leads to the bucket, which sends the file itself. The address is valid for a
minute. After a withdrawal no address is given any more, and the sweep deletes the files within 15 seconds, which ends
the addresses that were given before.

Files with videos or frames are not sent either while one of the videos is in quarantine.
"""

import time
from typing import Any, Final

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import HttpRequest
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych import downloads
from diptych.json_lines import MEDIA_TYPE
from diptych.ranges import begins_later
from diptych.refusals import NotThere, Refused
from media.addresses import download_url
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
#: Seconds for which an address in the bucket is valid. A download that has begun goes on after that.
ADDRESS_LIVES_S: Final = 60


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
    """Respond with a file of a complete release, with the range that was asked for, or with where the bucket has it.

    Raise Refused or NotThere.
    """
    require_complete(release)
    file = ReleaseFile.objects.filter(release=release, path=path).select_related("release").first()
    if file is None:
        raise NotThere(_("Release %(n)s has no file %(path)s.") % {"n": release.number, "path": path})
    _require_no_quarantine(file)
    leads_to_bucket = settings.MEDIA_DELIVERY == "s3" and request.method == "GET"
    response = _address(file, actor) if leads_to_bucket else _content(request, file)
    if (
        response.status_code in {200, 206, 302}
        and request.method == "GET"
        and not begins_later(request.headers.get("Range"))
    ):
        after = {"release": release.number, "path": path}
        audit.record("release.downloaded", release, actor=actor, study_slug=release.study.slug, after=after)
    return response


def _content(request: HttpRequest, file: ReleaseFile) -> HttpResponseBase:
    """Respond with the bytes of a file."""
    with trouble_of_storage():
        stored = default_storage.open(file.stored_name)
    return downloads.send_stored(
        request,
        WhileAllowed(stored, file),
        name=_name(file),
        content_type=_content_type(file),
        size=file.byte_size,
        sha256=file.sha256,
        at=file.created_at,
    )


def _address(file: ReleaseFile, actor: User) -> HttpResponseBase:
    """Respond with the address at which the bucket has the file. The bucket sends ranges of it.

    `X-Content-SHA256` names the digest of the file: `Repr-Digest` would be that of this response.
    """
    headers = {
        "content-disposition": downloads.attachment(_name(file)),
        "content-type": _content_type(file),
        "cache-control": "no-store",
    }
    response = HttpResponseRedirect(download_url(file.stored_name, actor.pk, headers, lives_s=ADDRESS_LIVES_S))
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-SHA256"] = file.sha256
    return response


def _name(file: ReleaseFile) -> str:
    return f"{file.release.study.slug}-{file.release.number}-{file.path.replace('/', '-')}"


def _content_type(file: ReleaseFile) -> str:
    return CONTENT_TYPES.get(file.path.rpartition(".")[2], "application/octet-stream")


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
