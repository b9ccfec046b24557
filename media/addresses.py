"""Make and check signed addresses of renditions. Each is for one person, expires, and is checked without the database.

`/media/<public id>.mp4?e=<unix seconds>&s=<person id>.<signature>`. The expiry is rounded up to a window.
So a person gets the same address during the whole window, and the browser's cache can keep the file.

The addresses of files in a bucket lead to the bucket (`presigning`), for the same windows and persons. The bucket then
rejects expired addresses.
"""

import base64
import hmac
import math
import time
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final

from django.conf import settings
from django.utils.crypto import salted_hmac

from diptych.refusals import Refused
from media import names
from media.presigning import Bucket

PREFIX: Final = "/media/"  # where diptych.urls includes media.urls
PLAYBACK: Final = "mp4"  # a kind is the extension it is served under
POSTER: Final = "jpg"
SIGNATURE_BYTES: Final = 16
#: Where the file of each kind lies in storage.
NAMES: Final = {PLAYBACK: names.playback, POSTER: names.poster}


def playback_url(asset_public_id: str, person_id: int, now: float | None, window_s: int) -> str:
    """Return the address of the playback file, valid for one to two windows of `window_s` seconds from `now`."""
    return _url(asset_public_id, PLAYBACK, person_id, now, window_s)


def poster_url(asset_public_id: str, person_id: int, now: float | None, window_s: int) -> str:
    """Return the address of the poster, valid for one to two windows of `window_s` seconds from `now`."""
    return _url(asset_public_id, POSTER, person_id, now, window_s)


def bucket_url(name: str, person_id: int, now: float | None = None, window_s: int = 3600) -> str:
    """Return the address of a file in the bucket, for the same windows."""
    expires = expiry(time.time() if now is None else now, window_s)
    return _bucket().url(name, person_id, expires - 2 * window_s, 2 * window_s)


def download_url(
    name: str, person_id: int, headers: Mapping[str, str], *, lives_s: int, now: float | None = None
) -> str:
    """Return the address of a file in the bucket, valid for `lives_s` seconds from now, with these headers.

    It is new each time, so that what is withdrawn can soon be had no more.
    """
    return _bucket().url(name, person_id, int(time.time() if now is None else now), lives_s, headers)


def expiry(now: float, window_s: int) -> int:
    """Return the Unix time, in seconds, at which addresses made at `now` expire."""
    return (math.floor(now / window_s) + 2) * window_s


def check(public_id: str, kind: str, e: str, s: str, now: float | None = None) -> int:
    """Return the id of the person for whom this address was made.

    Raises Refused with status 403 for a wrong signature, which is checked first, and with 410 for an expired address;
    the page can then request a new one. Signatures made with a key in `SECRET_KEY_FALLBACKS` stay valid, so rotating
    the key does not break open pages.
    """
    person, _, given = s.partition(".")
    if not (_is_count(e) and _is_count(person) and given.isascii()):
        raise Refused("bad signature", "bad_signature", status=403)
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    expected = [_signature(_derived(key), kind, public_id, person, e) for key in keys]
    if not any(hmac.compare_digest(given, signature) for signature in expected):
        raise Refused("bad signature", "bad_signature", status=403)
    if (time.time() if now is None else now) >= int(e):
        raise Refused("expired", "expired", status=410)
    return int(person)


def _url(public_id: str, kind: str, person_id: int, now: float | None, window_s: int) -> str:
    now = time.time() if now is None else now
    if settings.MEDIA_DELIVERY == "s3":
        return bucket_url(NAMES[kind](public_id), person_id, now, window_s)
    e = str(expiry(now, window_s))
    person = str(person_id)
    signature = _signature(_derived(settings.SECRET_KEY), kind, public_id, person, e)
    return f"{PREFIX}{public_id}.{kind}?e={e}&s={person}.{signature}"


def _signature(key: bytes, kind: str, public_id: str, person: str, e: str) -> str:
    """Return the first 128 bits of HMAC-SHA256 over all parts of the address, as 22 URL-safe characters."""
    digest = hmac.digest(key, f"{kind}/{public_id}/{person}/{e}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:SIGNATURE_BYTES]).rstrip(b"=").decode()


@cache
def _bucket() -> Bucket:
    return Bucket(**settings.MEDIA_BUCKET)


@lru_cache(maxsize=8)
def _derived(secret: str) -> bytes:
    """Return a key only for these addresses. It is cached, since every served pair needs four signatures."""
    return salted_hmac("media.addresses", "v1", secret=secret, algorithm="sha256").digest()


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19
