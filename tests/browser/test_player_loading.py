"""No waiting: when videos are loaded, kept, streamed, renewed and released."""

import time
from pathlib import Path

import ffmpeg
import pytest
from django.core.files import File
from django.core.files.storage import default_storage
from PIL import ImageStat
from playwright.sync_api import expect

from annotation.models import Assignment
from diptych.embedded import binaries
from media import addresses, names
from media.probe import probe
from tests import factories
from tests.browser import barcodes
from tests.browser.test_annotating import answer_by_mouse, submit_and_wait
from tests.browser.throttled_server import ThrottledServer
from tests.browser.watching import READY, caption, come_to, current, every_frame, frames, part_of, side_of
from tests.web import wait_for

pytestmark = pytest.mark.long

#: Counts object URLs from the first script on.
COUNT_URLS = """
    window.urls = { alive: new Set(), most: 0 };
    const { createObjectURL, revokeObjectURL } = URL;
    URL.createObjectURL = (blob) => {
        const url = createObjectURL.call(URL, blob);
        urls.alive.add(url);
        urls.most = Math.max(urls.most, urls.alive.size);
        return url;
    };
    URL.revokeObjectURL = (url) => { urls.alive.delete(url); revokeObjectURL.call(URL, url); };
"""
#: Records, when another pair is put on the page, how far its videos are loaded.
NOTE_ARRIVALS = """() => {
    window.arrivals = [];
    new MutationObserver(() => {
        if (!document.body.dataset.assignment) return;
        arrivals.push([...document.querySelectorAll("video[data-active]")].map((video) => video.readyState));
    }).observe(document.body, { attributeFilter: ["data-assignment"] });
}"""
SOURCES = "() => [...document.querySelectorAll('.screen video')].map(video => video.getAttribute('src'))"


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first")


@pytest.fixture
def workspace(open_page, study, annotator):
    def open_it(prepare=lambda page: None, **options):
        page = open_page("/?all=1", annotator)
        prepare(page)
        page.goto(f"/studies/{study.slug}/workspace/")
        return come_to(page, **options)

    return open_it


@pytest.fixture(scope="session")
def large_file(tmp_path_factory):
    """Make eight seconds of numbered noise, 59 MB: more than a browser buffers."""
    path = tmp_path_factory.mktemp("large") / "large.mp4"
    ffmpeg.input(barcodes.source("640x360", 24, 8, through="noise=alls=100:allf=t"), f="lavfi").output(
        str(path), vcodec="libx264", preset="ultrafast", qp=10, g=12, bf=0, movflags="+faststart"
    ).run(cmd=binaries.ffmpeg(), quiet=True)
    return path


@pytest.fixture
def large(large_file: Path):
    """Make a video of a prompt that is too large to be fetched as a whole."""

    def make(prompt):
        facts = probe(large_file)
        asset = factories.asset(duration_s=facts.duration_s, fps=facts.fps)
        with large_file.open("rb") as file:
            default_storage.save(names.playback(asset.public_id), File(file))
        return factories.video(prompt, asset=asset)

    return make


def public_ids(assignment):
    pair = assignment.pair
    return {pair.video_0.asset.public_id, pair.video_1.asset.public_id}


def next_of(page):
    return Assignment.objects.exclude(pk=current(page).pk).get(state="leased")


def test_the_pair_in_sight_is_fetched_first_and_one_clip_at_a_time(workspace, playable_pairs, study):
    playable_pairs(study, 2)
    events = []

    def watch_the_network(page):
        note = lambda what: lambda request: events.append((what, request.url)) if ".mp4" in request.url else None  # noqa: E731
        page.on("request", note("asked"))
        page.on("requestfinished", note("whole"))

    page = workspace(watch_the_network)
    wait_for(lambda: page.evaluate("1") and len(events) == 8, "four clips were not fetched")
    assert [what for what, _ in events] == ["asked", "whole"] * 4
    order = [url.split("/media/")[1].split(".")[0] for what, url in events if what == "asked"]
    assert set(order[:2]) == public_ids(current(page))
    assert set(order[2:]) == public_ids(next_of(page))
    assert all(source.startswith("blob:") for source in page.evaluate(SOURCES))


def test_the_next_pair_is_there_in_the_moment_of_submitting(workspace, playable_pairs, study):
    playable_pairs(study, 3)
    page = workspace()
    page.wait_for_function(
        "() => [...document.querySelectorAll('.screen video')].every(video => video.readyState >= 2)"
    )
    page.evaluate(NOTE_ARRIVALS)
    answer_by_mouse(page)
    submit_and_wait(page)
    assert all(state >= 2 for state in page.evaluate("arrivals[0]"))


def test_memory_is_released_pair_after_pair(workspace, playable_pairs, study):
    playable_pairs(study, 5)
    page = workspace(lambda page: page.add_init_script(COUNT_URLS))
    for _ in range(4):
        page.wait_for_function(READY)
        answer_by_mouse(page)
        submit_and_wait(page)
    page.wait_for_function(READY)
    page.wait_for_function("() => urls.alive.size === 2")  # there is no pair after the last one
    assert page.evaluate("urls.most") <= 4
    answer_by_mouse(page)
    submit_and_wait(page)
    expect(page.locator('[data-empty][data-reason="finished"]')).to_be_visible()
    assert page.evaluate("urls.alive.size") == 0
    assert page.evaluate(SOURCES) == [None] * 4


def test_large_videos_are_streamed_and_only_while_visible(workspace, playable_pairs, playable, large, study):
    playable_pairs(study, 1, priority=1)
    prompt = factories.prompt(study)
    factories.pair(
        study, prompt=prompt, video_0=large(prompt), video_1=factories.video(prompt, asset=playable("numbered longer"))
    )
    page = workspace()
    wait_for(
        lambda: sum(source is not None for source in page.evaluate(SOURCES)) == 3, "the small clip was not fetched"
    )
    assert all(source is None or source.startswith("blob:") for source in page.evaluate(SOURCES))
    answer_by_mouse(page)
    submit_and_wait(page)
    page.wait_for_function(READY)
    side = side_of(page, "video_0")
    streaming = page.locator(f'video[data-active][data-side="{side}"]')
    assert streaming.get_attribute("src").startswith("/media/")
    page.locator('[data-action="play"]').click()
    page.wait_for_function("video => video.currentTime > 0.5", arg=streaming.element_handle())


@pytest.fixture
def streaming(open_page, server, annotator, playable, large, study):
    """Open a page with a large and a small clip, with little more of the large one than it needs to start.

    Yield the page and the server that lets the rest through.
    """
    prompt = factories.prompt(study)
    small = factories.video(prompt, asset=playable("numbered longer"))
    factories.pair(study, prompt=prompt, video_0=large(prompt), video_1=small)
    throttled = ThrottledServer(server, budget=12_000_000)
    page = open_page(f"{throttled.address}/studies/{study.slug}/workspace/", annotator)
    yield come_to(page), throttled
    throttled.close()


def test_both_wait_when_one_waits(streaming):
    page, throttled = streaming
    page.evaluate(
        """() => { window.apart = [];
             const [a, b] = document.querySelectorAll('video[data-active]');
             const look = () => { apart.push([a.currentTime, b.currentTime]); requestAnimationFrame(look); };
             look(); }"""
    )
    page.locator('[data-action="play"]').click()
    waits = caption(page, side_of(page, "video_1"))
    expect(waits).to_contain_text("waiting for the other")
    at_rest = page.evaluate("apart.at(-1)")
    throttled.open()
    expect(waits).to_contain_text("playing")
    page.wait_for_function("([left, right]) => apart.at(-1)[0] > left && apart.at(-1)[1] > right", arg=at_rest)
    apart = [abs(left - right) for left, right in page.evaluate("apart")]
    assert max(apart) < 0.5, "one went on while the other waited"


def expired(request_url):
    """Return the same address, signed for a time that has passed."""
    public_id = request_url.split("/media/")[1].split(".")[0]
    person = int(request_url.split("s=")[1].split(".")[0])
    base = request_url.split("/media/")[0]
    return base + addresses.playback_url(public_id, person, time.time() - 86400, 3600)


@pytest.fixture
def expire():
    """Let addresses of videos expire until the page has requested fresh ones."""

    def start(page):
        renewed = []
        page.on("request", lambda request: renewed.append(request.url) if request.url.endswith("/renew/") else None)
        page.route(
            "**/media/*.mp4*",
            lambda route: route.continue_() if renewed else route.continue_(url=expired(route.request.url)),
        )
        return renewed

    return start


def test_an_expired_address_is_renewed_before_anybody_notices(workspace, playable_pairs, study, expire):
    playable_pairs(study, 1)
    found = {}
    page = workspace(lambda page: found.update(renewed=expire(page)))
    assert len(found["renewed"]) == 1
    expect(page.locator('[data-failed="left"]')).to_be_hidden()


def test_a_stream_whose_address_expires_goes_on_in_its_place_without_a_flash(streaming, expire):
    page, throttled = streaming
    side = side_of(page, "video_0")
    page.locator("label:has(#q-correctness-left)").click()
    renewed = expire(page)
    with every_frame(page) as pictures:
        page.locator("[data-scrub]").fill("180")
        wait_for(lambda: page.evaluate("1") and renewed, "no fresh address was asked for")
        throttled.open()
        page.wait_for_function(READY)
        assert frames(page)[side] == 180
        page.wait_for_function("() => document.querySelectorAll('.screen video').length === 4")
    noise = [ImageStat.Stat(part_of(picture, page, f'[data-screen="{side}"]')).stddev for picture in pictures]
    assert len(noise) > 1
    assert all(sum(spread) > 30 for spread in noise), "a bare screen was painted"
    expect(page.locator("#q-correctness-left")).to_be_checked()


def test_a_clip_that_is_gone_is_reported_and_the_next_pair_comes(workspace, playable_pairs, study):
    broken, _ = playable_pairs(study, 2)
    default_storage.delete(names.playback(broken.video_0.asset.public_id))
    page = workspace(ready=False)
    if current(page).pair_id != broken.pk:
        answer_by_mouse(page)
        submit_and_wait(page)
    before = current(page)
    cover = page.locator(f'[data-failed="{side_of(page, "video_0")}"]')
    expect(cover).to_contain_text("could not be loaded")
    cover.get_by_role("button", name="Skip: the video won’t load").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Technical problem")).to_be_checked()
    dialog.get_by_role("button", name="Skip pair").click()
    expect(page.locator(f'body[data-assignment="{before.pk}"]')).to_have_count(0)
    wait_for(lambda: Assignment.objects.get(pk=before.pk).state == "skipped", "the pair was not skipped")


def test_two_videos_that_are_one_file_are_said_to_be(workspace, playable, playable_pairs, study):
    prompt = factories.prompt(study)
    same = playable("moving")
    factories.pair(
        study,
        prompt=prompt,
        video_0=factories.video(prompt, asset=same),
        video_1=factories.video(prompt, asset=same),
        priority=1,
    )
    playable_pairs(study, 1)
    page = workspace()
    line = page.locator("[data-identical]")
    expect(line).to_contain_text("Both videos are the same file.")
    before = current(page)
    line.get_by_role("button").click()
    page.get_by_role("dialog").get_by_role("button", name="Skip pair").click()
    expect(page.locator(f'body[data-assignment="{before.pk}"]')).to_have_count(0)
    expect(line).to_be_hidden()


def test_nothing_starts_in_a_hidden_tab(workspace, playable_pairs, study):
    playable_pairs(study, 2)
    asked = []

    def unseen_at_first(page):
        # A browser without windows shows every tab. So the page gets the event that a browser would send.
        page.add_init_script("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
        page.on("request", lambda request: asked.append(request.url) if ".mp4" in request.url else None)

    page = workspace(unseen_at_first, ready=False)
    expect(caption(page, "left")).to_contain_text("loading")
    page.wait_for_load_state("networkidle")
    assert asked == []
    page.evaluate("() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); }")
    wait_for(lambda: page.evaluate("1") and len(asked) == 4, "the clips were not fetched")
