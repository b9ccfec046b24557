"""The product in Chinese: it can be chosen on the page, is complete, and is as usable as in English."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import factories

pytestmark = pytest.mark.long

NARROW = {"width": 420, "height": 800}
FIRST_QUESTION = "哪个视频更符合提示词？"


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first")


@pytest.fixture
def work(study, playable_pairs):
    """Return the address of a workspace with pairs to answer."""
    playable_pairs(study, 2)
    return f"/studies/{study.slug}/workspace/"


@pytest.fixture
def chinese(study):
    """Return an annotator who has chosen Chinese."""
    return factories.member(study, "annotator", locale="zh-hans")


def expect_a_pair(page):
    expect(page.locator("body[data-assignment]")).to_be_visible()
    expect(page.locator("video[data-active]")).to_have_count(2)


def choose_language(page, name):
    page.locator("[data-menu] > summary").click()
    page.get_by_role("button", name=name).click()


def violations(page):
    return [
        (found["id"], [node["html"][:120] for node in found["nodes"]])
        for found in Axe().run(page).response["violations"]
    ]


def test_chinese_is_chosen_before_signing_in_and_stays(open_page, annotator, work):
    page = open_page(f"/accounts/sign-in/?next={work}")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    assert violations(page) == []
    page.get_by_label("用户名").fill(annotator.username)
    page.get_by_label("密码").fill("a password of its own")
    page.locator("main").get_by_role("button", name="登录").click()
    expect(page.get_by_text(FIRST_QUESTION).first).to_be_visible()
    assert page.url.endswith(work)


def test_switching_in_the_workspace_keeps_the_draft(open_page, annotator, work):
    page = open_page(work, annotator)
    expect_a_pair(page)
    page.locator('[data-tab="helpfulness"]').click()
    page.locator("label:has(#q-correctness-right)").click()
    choose_language(page, "中文")
    expect_a_pair(page)
    page.locator('[data-tab="helpfulness"]').click()
    expect(page.get_by_text(FIRST_QUESTION).first).to_be_visible()
    expect(page.locator("#q-correctness-right")).to_be_checked()
    annotator.refresh_from_db()
    assert annotator.locale == "zh-hans"
    choose_language(page, "English")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#q-correctness-right")).to_be_checked()


def test_axe_finds_nothing_in_the_chinese_workspace(open_page, chinese, work):
    page = open_page(work, chinese)
    expect_a_pair(page)
    for dimension in ("helpfulness", "harmlessness"):
        page.locator(f'[data-tab="{dimension}"]').click()
        assert violations(page) == []
    for action in ("skip", "help"):
        page.locator(f'[data-action="{action}"]').first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert violations(page) == [], action
        page.get_by_role("dialog").locator("[data-close]").click()
    page.locator('[data-action="guideline"]').click()
    expect(page.locator("[data-guide] section h3").first).to_be_visible()
    page.locator("[data-menu] > summary").click()
    assert violations(page) == []


def test_no_chinese_page_scrolls_sideways(open_page, study, chinese, work):
    researcher = factories.member(study, "researcher", locale="zh-hans")
    pages = [(work, chinese), ("/accounts/password/", chinese), (f"/studies/{study.slug}/", researcher)]
    for address, person in [*pages, ("/accounts/sign-in/", None)]:
        page = open_page(address, person, viewport=NARROW, locale="zh-CN")
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
        if person:
            page.locator("[data-menu] > summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], address


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 720}, {"width": 1366, "height": 600}])
def test_a_dimension_fits_in_view_in_chinese(open_page, chinese, work, viewport):
    page = open_page(work, chinese, viewport=viewport)
    expect_a_pair(page)
    for dimension in ("helpfulness", "harmlessness"):
        page.locator(f'[data-tab="{dimension}"]').click()
        for side in ("left", "right"):
            box = page.locator(f"#q-{dimension}-{side}").bounding_box()
            assert box["y"] + box["height"] <= viewport["height"]
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert page.evaluate("(a => a.scrollHeight <= a.clientHeight)(document.querySelector('[data-answers]'))")


def test_a_pair_that_was_answered_elsewhere_gives_way_to_the_next(open_page, api, annotator, study, work):
    study.lease_s = 120
    study.save()
    page = open_page("/accounts/password/", annotator)
    page.clock.install()
    page.goto(work)
    expect_a_pair(page)
    before = page.locator("body").get_attribute("data-assignment")
    api(annotator).post(f"/api/v1/assignments/{before}/submit/", factories.body(), format="json")
    page.clock.fast_forward(61_000)  # half of the lease: the page renews it
    expect(page.locator(f'body[data-assignment="{before}"]')).to_have_count(0)
    expect_a_pair(page)
    expect(page.locator("[data-status]")).to_contain_text("already answered")
