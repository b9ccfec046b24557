"""The workspace with media from elsewhere: from a bucket, and from nginx in front of the application."""

import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command
from playwright.sync_api import expect

from media import addresses, names
from studies.models import Study
from tests.browser.conftest import cookies_of
from tests.web import free_port, serve

pytestmark = pytest.mark.long


@pytest.fixture
def open_at(chromium, annotator):
    """Open the workspace at an address, signed in."""
    contexts = []

    def open_it(address: str, study: Study):
        context = chromium.new_context(base_url=address, viewport={"width": 1280, "height": 720}, locale="en")
        contexts.append(context)
        context.add_cookies(cookies_of(annotator, address))
        context.add_init_script(f"localStorage.setItem('diptych:{annotator.pk}:welcomed', 'true')")
        page = context.new_page()
        page.goto(f"/studies/{study.slug}/workspace/")
        expect(page.locator("body[data-assignment]")).to_be_visible()
        return page

    yield open_it
    for context in contexts:
        context.close()


def expect_it_plays(page):
    page.wait_for_function("() => [...document.querySelectorAll('video')].every(video => video.readyState >= 3)")
    page.locator('[data-action="play"]').click()
    page.wait_for_function(
        "() => [...document.querySelectorAll('video[data-active]')].every(video => video.currentTime > 0.3)"
    )


def test_videos_come_from_the_bucket_and_a_dead_address_is_renewed(
    bucket,
    object_server,
    study,
    playable_pairs,
    open_at,
    monkeypatch,
):
    playable_pairs(study, 2)
    for name, value in object_server.environment().items():
        monkeypatch.setenv(name, value)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    call_command("prepare_bucket", address)
    running = serve(port)
    try:
        page = open_at(address, study)
        expect_it_plays(page)
        first = page.locator("body").get_attribute("data-assignment")
        dead = []

        def spoilt(route):
            """Replace the address, the first time, by one whose signature has expired."""
            if not dead:
                dead.append(route.request.url)
                return route.continue_(url=f"{route.request.url}0")
            return route.continue_()

        page.route(f"{object_server.endpoint}/**/playback.mp4*", spoilt)
        page.reload()
        expect_it_plays(page)
        assert dead
        assert page.locator("body").get_attribute("data-assignment") == first
    finally:
        running.stop()


def get(address, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_nginx_sends_what_the_application_allows(nginx, study, annotator, playable_pairs, open_at, monkeypatch):
    pair = playable_pairs(study, 2)[0]
    asset = pair.video_0.asset
    monkeypatch.setenv("MEDIA_DELIVERY", "nginx")
    port = free_port()
    running = serve(port)
    try:
        front = nginx(port, Path(settings.MEDIA_ROOT))
        expect_it_plays(open_at(front, study))
        path = addresses.playback_url(asset.public_id, annotator.pk, None, 3600)
        with default_storage.open(names.playback(asset.public_id)) as file:
            whole = file.read()
        status, headers, body = get(front + path)
        assert (status, body, headers["Content-Type"]) == (200, whole, "video/mp4")
        assert headers["Cache-Control"].startswith("private, immutable, max-age=")
        assert (headers["X-Content-Type-Options"], headers["Cross-Origin-Resource-Policy"]) == (
            "nosniff",
            "same-origin",
        )
        assert get(front + path, Range="bytes=5-9")[::2] == (206, whole[5:10])
        assert get(front + path, **{"If-None-Match": headers["ETag"]})[0] == 304
        assert get(front + path.replace("e=", "e=1"))[0] == 403
        assert get(f"{front}/internal-media/{names.playback(asset.public_id)}")[0] == 404
        default_storage.delete(names.playback(asset.public_id))
        assert get(front + path)[0] == 404
    finally:
        running.stop()
