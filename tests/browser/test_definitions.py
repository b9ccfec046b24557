"""The definition of a tag opens at the tag: by mouse, by finger and by key, in the words of the study's guideline."""

import pytest
from playwright.sync_api import expect

from annotation.models import Assignment
from annotation.reading import publish_guideline
from studies.documents.texts import shipped
from tests import factories
from tests.browser.working import HARMLESSNESS, current, is_ready
from tests.web import wait_for

CRIME = "A crime that is shown, promoted or made to look good"
OWN_WORDS = "What the law of the place forbids, for example."
LEFT_CRIME = '[data-step="tags-left"] [data-tag="crime"]'
FIRST_TAG = '[data-step="tags-left"] [data-tag] >> nth=0'


@pytest.fixture
def study(db):
    return factories.study(dimension_order="harmlessness_first")


@pytest.fixture
def workspace(open_page, study, annotator, playable_pairs):
    playable_pairs(study, 2)

    def open_it(**options):
        page = is_ready(open_page(f"/studies/{study.slug}/workspace/", annotator, **options))
        page.locator(HARMLESSNESS).click()
        return page

    return open_it


def definition(page):
    return page.get_by_role("tooltip")


@pytest.mark.long
def test_the_definition_opens_under_the_mouse_and_closes_when_it_leaves(open_page, annotator, playable_pairs, study):
    playable_pairs(study, 1)
    texts = {code: text.replace(CRIME, OWN_WORDS) for code, text in shipped("guideline").items()}
    publish_guideline(study, texts=texts, actor=None)
    page = open_page(f"/studies/{study.slug}/workspace/", annotator)
    page.get_by_role("button", name="Read what changed").click()
    page.get_by_role("button", name="I have read it").click()
    is_ready(page).locator(HARMLESSNESS).click()
    page.locator(LEFT_CRIME).hover()
    expect(definition(page)).to_contain_text("Crime")
    expect(definition(page)).to_contain_text(OWN_WORDS)  # not the product's own definition
    expect(definition(page).locator("li")).to_have_count(0)  # its examples are in the guideline
    for side in ("left", "right"):
        video, box = page.locator(f'[data-screen="{side}"]').bounding_box(), definition(page).bounding_box()
        assert box["y"] >= video["y"] + video["height"] or box["x"] >= video["x"] + video["width"] or side == "right"
    definition(page).hover()  # the pointer can reach it, and it stays
    expect(definition(page)).to_be_visible()
    page.locator("[data-heading]").hover()
    expect(definition(page)).to_be_hidden()
    expect(page.locator("[data-answers] input:checked")).to_have_count(0)


@pytest.mark.long
def test_keys_show_the_definition_and_set_no_tag(workspace):
    page = workspace()
    page.keyboard.press("i")
    expect(definition(page)).to_contain_text(page.locator(FIRST_TAG).locator("span").inner_text())
    page.keyboard.press("i")
    expect(definition(page)).to_be_hidden()
    page.keyboard.press("Shift+Digit2")
    second = page.locator('[data-step="tags-left"] [data-tag]').nth(1)
    expect(definition(page)).to_contain_text(second.locator("span").inner_text())
    page.locator(f"{LEFT_CRIME} input").focus()
    page.keyboard.press("i")  # hides the other definition
    page.keyboard.press("i")
    expect(definition(page)).to_contain_text(CRIME)
    expect(page.locator("[data-answers] input:checked")).to_have_count(0)
    page.keyboard.press("Escape")  # still hides the videos at once
    expect(definition(page)).to_be_hidden()
    expect(page.locator("[data-player][data-hidden]")).to_be_visible()


@pytest.mark.long
def test_a_long_press_shows_the_definition_and_a_short_one_sets_the_tag(workspace):
    page = workspace(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    tag = page.locator(LEFT_CRIME)
    tag.evaluate("tag => tag.scrollIntoView({ block: 'center' })")
    box = tag.bounding_box()
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect(definition(page)).to_contain_text(CRIME)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(definition(page)).to_be_visible()
    expect(tag.locator("input")).not_to_be_checked()
    frame = definition(page).bounding_box()
    assert frame["x"] >= 0
    assert frame["x"] + frame["width"] <= 390
    tag.tap()
    expect(tag.locator("input")).to_be_checked()
    expect(definition(page)).to_be_hidden()


@pytest.mark.long
def test_without_the_network_the_product_says_what_the_tag_covers_and_screen_readers_always_hear_it(workspace):
    page = workspace()
    page.context.set_offline(True)
    page.locator(LEFT_CRIME).hover()
    expect(definition(page)).to_contain_text("A crime that is shown, promoted or made to look good")
    expect(page.locator(f"{LEFT_CRIME} input")).to_have_accessible_description(
        "A crime that is shown, promoted or made to look good; a serious moral wrong; a prompt that calls for a crime "
        "or asks how to commit one."
    )
    page.context.set_offline(False)


@pytest.mark.long
def test_reading_a_definition_is_recorded_like_the_guideline(open_page, study, annotator, playable_pairs):
    playable_pairs(study, 1)
    page = open_page("/accounts/password/", annotator)
    page.clock.install()
    page.goto(f"/studies/{study.slug}/workspace/")
    expect(page.locator("body[data-assignment]")).to_be_visible()
    shown = current(page)
    page.locator(f"{LEFT_CRIME} input").focus()
    page.keyboard.press("i")
    expect(definition(page)).to_contain_text(CRIME)
    page.clock.fast_forward(3_000)
    page.keyboard.press("i")
    page.locator(LEFT_CRIME).click()

    def opened():
        draft = Assignment.objects.get(pk=shown.pk).draft or {}
        return draft.get("viewing", {}).get("guideline", {}).get("opened")

    [section] = wait_for(opened, "it was not recorded")
    assert section["section"] == "tag-crime"
    assert section["open_s"] >= 3
