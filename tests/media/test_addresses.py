"""Signed addresses: who may fetch what, and until when; and what is served there."""

import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from diptych.refusals import Refused
from media import addresses, names
from media.quarantined import dark

pytestmark = pytest.mark.django_db

ASSET = "0123456789abcdef" * 4
OTHER = "f" * 64
WINDOW = 3600
NOW = 1_700_000_000.0


def signed(url: str) -> dict[str, str]:
    """The query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def check(url: str, now: float, *, public_id: str = ASSET, kind: str = "mp4") -> int:
    query = signed(url)
    return addresses.check(public_id, kind, query["e"], query["s"], now)


def test_a_person_gets_one_address_throughout_a_window() -> None:
    start = NOW // WINDOW * WINDOW

    first = addresses.playback_url(ASSET, 7, start, WINDOW)

    assert addresses.playback_url(ASSET, 7, start + WINDOW - 0.01, WINDOW) == first
    assert addresses.playback_url(ASSET, 7, start + WINDOW, WINDOW) != first
    assert addresses.playback_url(ASSET, 8, start, WINDOW) != first


def test_an_address_is_good_for_one_to_two_windows() -> None:
    url = addresses.playback_url(ASSET, 7, NOW, WINDOW)
    expires = int(signed(url)["e"])

    assert WINDOW < expires - NOW <= 2 * WINDOW
    assert check(url, expires - 0.01) == 7
    with pytest.raises(Refused, match="expired"):
        check(url, expires)


def test_address_names_the_file_and_its_kind() -> None:
    assert addresses.playback_url(ASSET, 7, NOW, WINDOW).startswith(f"/media/{ASSET}.mp4?e=")
    assert addresses.poster_url(ASSET, 7, NOW, WINDOW).startswith(f"/media/{ASSET}.jpg?e=")


def test_an_address_opens_nothing_else() -> None:
    url = addresses.playback_url(ASSET, 7, NOW, WINDOW)
    expires, signature = signed(url)["e"], signed(url)["s"]
    for public_id, kind, e, s in [
        (OTHER, "mp4", expires, signature),
        (ASSET, "jpg", expires, signature),
        (ASSET, "mp4", str(int(expires) + 1), signature),
        (ASSET, "mp4", f"0{expires}", signature),
        (ASSET, "mp4", expires, signature.replace("7.", "8.", 1)),
        (ASSET, "mp4", expires, f"{signature}A"),
        (ASSET, "mp4", expires, signature[:-1]),
        (ASSET, "mp4", expires, ""),
        (ASSET, "mp4", "", signature),
        (ASSET, "mp4", "soon", signature),
        (ASSET, "mp4", expires, "7.ü"),
        (ASSET, "mp4", "9" * 5000, signature),
    ]:
        with pytest.raises(Refused, match="bad signature"):
            addresses.check(public_id, kind, e, s, NOW)


def test_a_rotated_key_keeps_open_pages_working(settings: Any) -> None:
    url = addresses.playback_url(ASSET, 7, NOW, WINDOW)

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 8, [settings.SECRET_KEY]
    assert check(url, NOW) == 7
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(Refused, match="bad signature"):
        check(url, NOW)


@pytest.fixture
def stored(settings: Any, tmp_path: Path) -> bytes:
    """A playback file and a poster of ASSET in storage; the playback's bytes."""
    settings.MEDIA_ROOT = tmp_path
    content = bytes(range(256)) * 8
    default_storage.save(names.playback(ASSET), ContentFile(content))
    default_storage.save(names.poster(ASSET), ContentFile(b"a poster"))
    return content


def test_playback_is_served_whole_and_in_parts(stored: bytes, client: Client) -> None:
    url = addresses.playback_url(ASSET, 7, None, WINDOW)

    whole = client.get(url)
    part = client.get(url, headers={"Range": "bytes=256-511"})

    assert (whole.status_code, whole.getvalue()) == (200, stored)
    assert (part.status_code, part.getvalue()) == (206, stored[256:512])
    assert part.headers["Content-Range"] == f"bytes 256-511/{len(stored)}"
    assert part.headers["Content-Type"] == "video/mp4"
    assert part.headers["X-Content-Type-Options"] == "nosniff"
    assert part.headers["Content-Disposition"] == "inline"
    assert part.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_browsers_may_keep_a_file_until_its_address_expires(stored: bytes, client: Client) -> None:
    url = addresses.playback_url(ASSET, 7, None, WINDOW)

    response = client.get(url)
    again = client.get(url, headers={"If-None-Match": response.headers["ETag"]})

    directives = response.headers["Cache-Control"].split(", ")
    [age] = [int(d.removeprefix("max-age=")) for d in directives if d.startswith("max-age=")]
    assert {"private", "immutable"} <= set(directives)
    assert abs(age - (int(signed(url)["e"]) - time.time())) < 5
    assert again.status_code == 304


def test_serving_asks_the_database_once_a_second_at_most(
    stored: bytes, client: Client, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = addresses.playback_url(ASSET, 7, None, WINDOW)
    monkeypatch.setattr(dark, "believed_s", 3600)  # or this test would have to be quick
    dark.forget()

    with django_assert_num_queries(1):  # which assets are in quarantine
        assert client.get(url).status_code == 200
    with django_assert_num_queries(0):
        for _ in range(20):
            assert client.get(url).status_code == 200


def test_a_poster_is_served_as_a_picture(stored: bytes, client: Client) -> None:
    response = client.get(addresses.poster_url(ASSET, 7, None, WINDOW))

    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/jpeg")
    assert response.getvalue() == b"a poster"


def test_head_tells_the_size(stored: bytes, client: Client) -> None:
    response = client.head(addresses.playback_url(ASSET, 7, None, WINDOW))

    assert response.status_code == 200
    assert response.headers["Content-Length"] == str(len(stored))
    assert response.content == b""


def test_an_expired_address_is_gone_and_says_so(stored: bytes, client: Client) -> None:
    response = client.get(addresses.playback_url(ASSET, 7, time.time() - 3 * WINDOW, WINDOW))

    assert (response.status_code, response.content) == (410, b"expired")
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("query", ["", "?e=1", "?e=9999999999&s=7.AAAAAAAAAAAAAAAAAAAAAA"])
def test_a_forged_address_is_refused_whether_or_not_the_file_exists(stored: bytes, client: Client, query: str) -> None:
    for public_id in (ASSET, OTHER):
        assert client.get(f"/media/{public_id}.mp4{query}").status_code == 403


def test_a_file_that_is_not_there_is_not_found(stored: bytes, client: Client) -> None:
    assert client.get(addresses.playback_url(OTHER, 7, None, WINDOW)).status_code == 404


def test_nothing_but_reading_is_allowed(stored: bytes, client: Client) -> None:
    assert client.post(addresses.playback_url(ASSET, 7, None, WINDOW)).status_code == 405


def test_a_range_beyond_the_end_is_not_kept(stored: bytes, client: Client) -> None:
    url = addresses.playback_url(ASSET, 7, None, WINDOW)

    response = client.get(url, headers={"Range": "bytes=999999-"})

    assert response.status_code == 416
    assert response.headers["Cache-Control"] == "no-store"


def test_training_frames_are_numbered_0_to_7() -> None:
    assert names.frame(ASSET, 7) == f"renditions/01/{ASSET}/frames/7.jpg"
    with pytest.raises(ValueError, match="0 to 7"):
        names.frame(ASSET, 8)
