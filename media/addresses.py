"""Signed addresses of renditions, which expire: made for one person, checked without the database.

`/media/<public id>.mp4?e=<unix seconds>&s=<person id>.<signature>`. The expiry is rounded up to a window, so
that a person gets the same address throughout the window and the browser's cache can keep the file.

Media in a bucket are addressed there (`presigning`), for the same windows and persons; the bucket then says when an
address has expired.
"""

import base64
import hmac
import math
import time
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
    """Address of the playback file, good for one to two windows of `window_s` seconds from `now`."""
    return _url(asset_public_id, PLAYBACK, person_id, now, window_s)


def poster_url(asset_public_id: str, person_id: int, now: float | None, window_s: int) -> str:
    """Address of the poster, good for one to two windows of `window_s` seconds from `now`."""
    return _url(asset_public_id, POSTER, person_id, now, window_s)


def bucket_url(name: str, person_id: int, now: float | None = None, window_s: int = 3600) -> str:
    """Address of a file in the bucket, for the same windows."""
    expires = expiry(time.time() if now is None else now, window_s)
    return _bucket().url(name, person_id, expires - 2 * window_s, 2 * window_s)


def expiry(now: float, window_s: int) -> int:
    """Unix seconds at which addresses made at `now` expire."""
    return (math.floor(now / window_s) + 2) * window_s


def check(public_id: str, kind: str, e: str, s: str, now: float | None = None) -> int:
    """The id of the person whom this address was made for.

    Raises Refused: 403 for a signature that is not ours, before anything else is believed, and 410 for an address whose
    time has passed; the page can ask for a new one. Signatures made under a key in
    `SECRET_KEY_FALLBACKS` still count, so rotating the key breaks no open page.
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
    """The first 128 bits of HMAC-SHA256 over all that the address grants, as 22 URL-safe characters."""
    digest = hmac.digest(key, f"{kind}/{public_id}/{person}/{e}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:SIGNATURE_BYTES]).rstrip(b"=").decode()


@cache
def _bucket() -> Bucket:
    return Bucket(**settings.MEDIA_BUCKET)


@lru_cache(maxsize=8)
def _derived(secret: str) -> bytes:
    """A key for these addresses alone. Derived once: every served pair signs four addresses."""
    return salted_hmac("media.addresses", "v1", secret=secret, algorithm="sha256").digest()


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19
