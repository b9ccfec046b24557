"""Steps of a reviewer on the review page that several browser tests share."""

from playwright.sync_api import Page, expect

from tests.browser.working import HELPFULNESS, answer_by_mouse, choose, is_ready

JUDGED = "fieldset[data-judge]"
NOTHING_LEFT = '[data-when="nothing_due"]'


def answer_blind(page: Page, *, more_helpful: str = "") -> None:
    """Answer the pair of a blind review, and wait for the rows to judge. `more_helpful`: the side to prefer overall."""
    answer_by_mouse(page)
    if more_helpful:
        page.locator(HELPFULNESS).click()
        choose(page, "helpfulness", more_helpful)
    page.keyboard.press("Control+Enter")
    expect(page.locator(JUDGED).first).to_be_visible()


def judge(page: Page, *, defect_on: str = "") -> None:
    """Call each row that differs fine, and the row with this question a defect. Then submit the verdicts."""
    differing = page.locator("fieldset[data-differs]")
    for row in differing.all():
        is_defect = bool(defect_on) and defect_on in (row.text_content() or "")
        row.locator(f'[data-choices] input[value="{"defect" if is_defect else "fine"}"]').check()
        if is_defect:
            row.locator('[data-code] input[value="overlooked"]').check()
    submit_verdicts(page)


def submit_verdicts(page: Page) -> None:
    """Submit, and wait until the server has stored it."""
    before = page.locator("body").get_attribute("data-assignment")
    page.keyboard.press("Control+Enter")
    expect(page.locator(f'body[data-assignment="{before}"]')).to_have_count(0)


def review_all(page: Page, *, blind: bool = False) -> int:
    """Judge everything that waits on the page as fine. Return how many pairs that were."""
    done = 0
    while True:
        expect(page.locator(f"body[data-assignment], {NOTHING_LEFT}:visible").first).to_be_visible()
        if page.locator(NOTHING_LEFT).is_visible():
            return done
        is_ready(page)
        if blind:
            answer_blind(page)
        judge(page)
        done += 1
