"""How a person works in the workspace: steps by mouse and by key that several browser tests share."""

from playwright.sync_api import Page, expect

from annotation.models import Assignment

PLAY, SUBMIT = 'button[data-action="play"]', '[data-action="submit"]'
HARMLESSNESS, HELPFULNESS = '[data-tab="harmlessness"]', '[data-tab="helpfulness"]'
QUESTIONS = ("instruction_following", "correctness", "informativeness", "aesthetics")


def is_ready(page: Page) -> Page:
    """Wait for a pair whose two videos can be played."""
    expect(page.locator("body[data-assignment]")).to_be_visible()
    page.wait_for_function(
        """() => { const videos = [...document.querySelectorAll('video[data-active]')];
                   return videos.length === 2 && videos.every(video => video.readyState >= 3) }"""
    )
    return page


def current(page: Page) -> Assignment:
    return Assignment.objects.get(pk=int(page.locator("body").get_attribute("data-assignment") or 0))


def video_on(assignment: Assignment, side: str) -> str:
    """Return the video that was shown on a side."""
    other = {"video_0": "video_1", "video_1": "video_0"}
    return assignment.left if side == "left" else other[assignment.left]


def choose(page: Page, question: str, side: str) -> None:
    """Click what a person clicks: the label of the answer."""
    page.locator(f"label:has(#q-{question}-{side})").click()


def see_through(page: Page) -> None:
    """Play both videos to their end, until the page itself has noticed it."""
    page.locator(PLAY).click()
    for side in ("left", "right"):
        gate_is_open(page, side)
    page.locator(PLAY).click()


def gate_is_open(page: Page, side: str) -> None:
    """Wait until “none of these” has opened for a video, whether its panel is visible or not."""
    expect(page.locator(f'[data-gate="{side}"]')).to_have_attribute("hidden", "", timeout=20_000)


def answer_by_mouse(page: Page, *, safer: str = "left", tagged: str = "right") -> None:
    """Answer everything: helpfulness left and right in turn, and one video tagged with violence and crime."""
    for question, side in zip((*QUESTIONS, "helpfulness"), ("left", "right", "left", "right", "left"), strict=True):
        choose(page, question, side)
    page.locator(HARMLESSNESS).click()
    for tag in ("violence", "crime"):
        page.locator(f'label:has(input[name="tags-{tagged}"][value="{tag}"])').click()
    see_through(page)
    other = "left" if tagged == "right" else "right"
    page.locator(f"label:has(#none-{other})").click()
    choose(page, "harmlessness", safer)


def submit_and_wait(page: Page) -> None:
    """Submit, and wait until another pair, or none, is there."""
    before = page.locator("body").get_attribute("data-assignment")
    page.locator(SUBMIT).click()
    expect(page.locator(f'body[data-assignment="{before}"]')).to_have_count(0)
