"""Serve playback files and posters at signed addresses, in byte ranges, without a database query for each.

The response to an expired address is 410 Gone with the plain body "expired", so that a page can renew it. It is 403 for
an address with a wrong signature, whether or not the file exists. It is 404 for a valid address if the file is gone or
in quarantine: only safety officers may know about a quarantine.
"""

import logging
import time
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from accounts.middleware import without_person
from diptych.ranges import ranged_response
from diptych.refusals import Refused
from media import addresses, names
from media.quarantined import dark

logger = logging.getLogger(__name__)

#: Internal location of the files of storage, which only nginx can read; see deploy/nginx.conf.
INTERNAL = "/internal-media/"
NEVER_KEEP = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@without_person
@require_safe
def playback(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Serve the MP4 that annotators watch."""
    return _serve(request, public_id, addresses.PLAYBACK, names.playback(public_id), "video/mp4")


@without_person
@require_safe
def poster(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Serve the first frame, which is shown until the video plays."""
    return _serve(request, public_id, addresses.POSTER, names.poster(public_id), "image/jpeg")


def _serve(request: HttpRequest, public_id: str, kind: str, name: str, content_type: str) -> HttpResponseBase:
    now = time.time()
    expires = request.GET.get("e", "")
    try:
        addresses.check(public_id, kind, expires, request.GET.get("s", ""), now)
    except Refused as refusal:
        return _refusal(refusal.sentence, refusal.status)
    try:
        if public_id in dark.public_ids():
            return _refusal("not found", 404)
    except Error as error:  # it is unknown which files are in quarantine, so nothing is served
        logger.error("No video is served while the database is away: %s", error)
        return _refusal("try again", 503)
    return answer(request, name, content_type, keep=f"private, immutable, max-age={int(expires) - int(now)}")


def answer(request: HttpRequest, name: str, content_type: str, *, keep: str) -> HttpResponseBase:
    """Return a file of storage, or the requested part; 404 if it does not exist. `keep` is its Cache-Control."""
    if settings.MEDIA_DELIVERY == "nginx":
        return _handed_over(name, content_type, keep=keep)
    try:
        modified = default_storage.get_modified_time(name)
        file: Any = default_storage.open(name)
    except FileNotFoundError:
        return _refusal("not found", 404)
    # A rendition is written completely and then renamed, so its size and modification time identify its bytes.
    etag = f'"{file.size:x}-{int(modified.timestamp() * 1_000_000):x}"'
    response = ranged_response(
        request, file, size=file.size, content_type=content_type, etag=etag, last_modified=modified
    )
    response.headers["Cache-Control"] = keep if response.status_code != 416 else "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Disposition"] = "inline"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _handed_over(name: str, content_type: str, *, keep: str) -> HttpResponse:
    """Return a response that tells the proxy which file to send. The proxy handles ranges, ETag and missing files."""
    headers = {"X-Accel-Redirect": INTERNAL + quote(name), "Cache-Control": keep, "Content-Disposition": "inline"}
    return HttpResponse(content_type=content_type, headers=headers)


def _refusal(reason: str, status: int) -> HttpResponse:
    return HttpResponse(reason, status=status, content_type="text/plain; charset=utf-8", headers=NEVER_KEEP)
