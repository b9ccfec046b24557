"""Real requests for video addresses to the real server: without ranges a browser cannot seek."""

import http.client
from urllib.parse import urlsplit

import pytest

from media.addresses import playback_url, poster_url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clip(playable, renditions):
    """Make an asset. Return it with the bytes that must be served."""
    return playable("moving"), renditions["moving"].playback.read_bytes()


@pytest.fixture
def ask(server, clip):
    """Send one request for the clip. Return status, headers and body."""

    def send(method="GET", path=None, **headers):
        asset, _ = clip
        connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=10)
        connection.request(
            method,
            path or playback_url(asset.public_id, 1, None, 3600),
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        response = connection.getresponse()
        answer = response.status, dict(response.getheaders()), response.read()
        connection.close()
        return answer

    return send


def test_the_whole_file(ask, clip):
    status, headers, body = ask()
    assert (status, body) == (200, clip[1])
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["accept-ranges"] == "bytes"
    assert headers["content-type"] == "video/mp4"
    assert headers["x-content-type-options"] == "nosniff"
    assert "private" in headers["cache-control"]


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [("bytes=0-99", 0, 99), ("bytes=100-", 100, None), ("bytes=-50", -50, None), ("bytes=5-5", 5, 5)],
)
def test_a_range_answers_206_with_those_bytes(ask, clip, wanted, first, last):
    content = clip[1]
    status, headers, body = ask(Range=wanted)
    expected = content[first:] if last is None else content[first : last + 1]
    assert (status, body) == (206, expected)
    start = first if first >= 0 else len(content) + first
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["content-range"] == f"bytes {start}-{start + len(expected) - 1}/{len(content)}"
    assert int(headers["content-length"]) == len(expected)


def test_a_range_beyond_the_end_answers_416_with_the_size(ask, clip):
    size = len(clip[1])
    status, headers, _ = ask(Range=f"bytes={size}-")
    assert status == 416
    assert {name.lower(): value for name, value in headers.items()}["content-range"] == f"bytes */{size}"


@pytest.mark.parametrize("wanted", ["bytes=9-5", "lines=1-2", "bytes=a-b", "bytes=0-1,5-6"])
def test_a_range_that_cannot_be_honoured_gives_the_whole_file(ask, clip, wanted):
    status, _, body = ask(Range=wanted)
    assert (status, body) == (200, clip[1])


def test_if_range_gives_the_range_while_the_file_is_the_same(ask, clip):
    etag = {name.lower(): value for name, value in ask()[1].items()}["etag"]
    assert ask(Range="bytes=0-9", If_Range=etag)[0] == 206
    status, _, body = ask(Range="bytes=0-9", If_Range='"another"')
    assert (status, body) == (200, clip[1])


def test_an_unchanged_file_is_not_sent_again(ask):
    etag = {name.lower(): value for name, value in ask()[1].items()}["etag"]
    assert ask(If_None_Match=etag)[0] == 304


def test_head_tells_the_size_without_the_bytes(ask, clip):
    status, headers, body = ask("HEAD")
    assert (status, body) == (200, b"")
    assert int({name.lower(): value for name, value in headers.items()}["content-length"]) == len(clip[1])


def test_a_changed_address_is_refused_and_an_old_one_is_gone(ask, clip):
    asset, _ = clip
    good = playback_url(asset.public_id, 1, None, 3600)
    assert ask(path=good.replace("s=1.", "s=2."))[0] == 403
    assert ask(path=good.replace(".mp4", ".jpg"))[0] == 403
    assert ask(path=playback_url(asset.public_id, 1, 1_000_000.0, 3600))[0] == 410
    assert ask(path=f"/media/{asset.public_id}.mp4")[0] == 403


def test_other_methods_are_refused(ask):
    assert ask("POST")[0] in {403, 405}
    assert ask("DELETE")[0] in {403, 405}


def test_a_poster_is_a_jpeg(ask, clip):
    status, headers, body = ask(path=poster_url(clip[0].public_id, 1, None, 3600))
    assert status == 200
    assert {name.lower(): value for name, value in headers.items()}["content-type"] == "image/jpeg"
    assert body[:2] == b"\xff\xd8"


def test_originals_have_no_address(ask, clip):
    asset, _ = clip
    for path in (f"/media/{asset.original}", f"/media/originals/{asset.sha256}", "/media/", "/media/../"):
        assert ask(path=path)[0] == 404
