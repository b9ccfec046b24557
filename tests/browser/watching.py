"""How tests of the player ask a page which clip is on which side, and which frame of it is visible."""

import io
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image
from playwright.sync_api import Page, expect

from annotation.models import Assignment
from tests.browser import barcodes

READY = "() => [...document.querySelectorAll('video[data-active]')].every(video => video.readyState === 4)"
#: When both are at rest and the page has painted them: the frame number in the picture of each side.
FRAMES = """() => new Promise((done) => {
    const videos = [...document.querySelectorAll('video[data-active]')];
    const look = (painted) => requestAnimationFrame(() => {
        if (videos.some((video) => video.seeking || !video.paused)) return look(0);
        if (painted < 3) return look(painted + 1);
        return done(Object.fromEntries(videos.map((video) => [video.dataset.side, frameOf(video)])));
    });
    look(0);
})"""
#: Records the target of every seek of either video, the frames that were presented and when, and whether both played.
TAKE_NOTES = """() => {
    window.notes = { seeks: [], shown: { left: [], right: [] } };
    for (const video of document.querySelectorAll('video[data-active]')) {
        video.addEventListener('seeking', () => notes.seeks.push(video.currentTime));
        const look = (now, { mediaTime, expectedDisplayTime }) => {
            notes.shown[video.dataset.side].push([expectedDisplayTime, mediaTime]);
            video.requestVideoFrameCallback(look);
        };
        video.requestVideoFrameCallback(look);
    }
}"""
#: Resolves when everything before it is on the screen: a browser can have up to three pictures in progress.
PAINTED = """() => new Promise((done) => {
    let pictures = 0;
    const look = () => (pictures++ < 6 ? requestAnimationFrame(look) : done());
    look();
})"""
POSITIONS = (
    "() => Object.fromEntries([...document.querySelectorAll('video[data-active]')]"
    ".map(video => [video.dataset.side, video.currentTime]))"
)


def current(page: Page) -> Assignment:
    return Assignment.objects.get(pk=int(page.locator("body").get_attribute("data-assignment") or 0))


def come_to(page: Page, *, ready: bool = True) -> Page:
    """Wait for a pair, loaded if that is asked, and remove the focus from all controls."""
    expect(page.locator("body[data-assignment]")).to_be_visible()
    page.evaluate(barcodes.READER)
    if ready:
        page.wait_for_function(READY)
    page.evaluate("document.activeElement.blur()")
    return page


def side_of(page: Page, video: str) -> str:
    """Return the side of `video_0` or `video_1`."""
    return "left" if current(page).left == video else "right"


def frames(page: Page) -> dict[str, int]:
    """Return the number in each side's picture, at rest."""
    seen: dict[str, int] = page.evaluate(FRAMES)
    return seen


def positions(page: Page) -> dict[str, float]:
    found: dict[str, float] = page.evaluate(POSITIONS)
    return found


def caption(page: Page, side: str) -> Any:
    return page.locator(f'[data-caption="{side}"]')


@contextmanager
def every_frame(page: Page) -> Iterator[list[Image.Image]]:
    """Record all pictures of the page that change anything while the block runs, as the browser casts them.

    The first is the picture at the beginning, so earlier changes are painted before.
    """
    page.evaluate(PAINTED)
    pictures: list[Image.Image] = []
    session = page.context.new_cdp_session(page)

    def take(frame: dict[str, Any]) -> None:
        pictures.append(Image.open(io.BytesIO(b64decode(frame["data"]))).convert("RGB"))
        session.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    session.on("Page.screencastFrame", take)
    session.send("Page.startScreencast", {"format": "png", "everyNthFrame": 1})
    try:
        yield pictures
    finally:
        session.send("Page.stopScreencast")
        session.detach()


def part_of(picture: Image.Image, page: Page, selector: str) -> Image.Image:
    """Return the part of a page's picture that an element covers, less a margin."""
    box, size = page.locator(selector).bounding_box(), page.viewport_size
    assert box
    assert size
    across, down = picture.width / size["width"], picture.height / size["height"]
    left, top = box["x"] + 4, box["y"] + 4
    right, bottom = box["x"] + box["width"] - 4, box["y"] + box["height"] - 4
    return picture.crop((int(left * across), int(top * down), int(right * across), int(bottom * down)))
