"""The line between videos and questions, and what stays visible on a phone and at 200 % zoom."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests import factories
from tests.browser.working import HARMLESSNESS, HELPFULNESS, is_ready

SCREEN = '[data-screen="left"]'
PHONE, ZOOMED, WIDE = {"width": 390, "height": 844}, {"width": 640, "height": 360}, {"width": 1280, "height": 720}


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first")


@pytest.fixture
def workspace(open_page, study, annotator, playable_pairs):
    playable_pairs(study, 2)

    def open_it(**options):
        return is_ready(open_page(f"/studies/{study.slug}/workspace/", annotator, **options))

    return open_it


def line(page):
    return page.get_by_role("separator", name="Height of the videos")


def height(page):
    return page.locator(SCREEN).bounding_box()["height"]


def value(page):
    return int(line(page).get_attribute("aria-valuenow"))


@pytest.mark.long
def test_the_line_is_moved_by_pointer_and_by_key_kept_and_reset(workspace):
    page = workspace()
    natural = height(page)
    assert value(page) == pytest.approx(natural / 7.2, abs=1)
    place = line(page).bounding_box()
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 60, steps=3)
    page.mouse.up()
    assert height(page) == pytest.approx(natural - 60, abs=2)
    expect(line(page)).not_to_be_focused()
    assert value(page) == pytest.approx((natural - 60) / 7.2, abs=1)
    left, right = (page.locator(f'[data-screen="{side}"]').bounding_box() for side in ("left", "right"))
    assert (left["width"], left["height"], left["y"]) == (right["width"], right["height"], right["y"])
    page.reload()
    is_ready(page)
    assert height(page) == pytest.approx(natural - 60, abs=2)
    before = value(page)
    line(page).focus()
    page.keyboard.press("ArrowUp")
    assert value(page) == before - 2
    page.keyboard.press("PageDown")
    assert value(page) == before + 8
    page.set_viewport_size({"width": 1280, "height": 620})  # less of everything, and the footer stays
    page.wait_for_function("() => document.querySelector('.foot').getBoundingClientRect().bottom <= innerHeight")
    page.set_viewport_size(WIDE)
    page.keyboard.press("End")  # the questions keep some space
    assert page.locator("form[data-answers]").bounding_box()["height"] >= 111
    assert value(page) == int(line(page).get_attribute("aria-valuemax"))
    page.keyboard.press("Home")
    assert value(page) == int(line(page).get_attribute("aria-valuemin"))
    assert Axe().run(page).response["violations"] == []
    page.keyboard.press("f")  # a single key still answers
    expect(page.locator("[data-questions] input:checked")).to_have_count(1)
    page.get_by_role("button", name="Reset the height").click()
    assert height(page) == pytest.approx(natural, abs=1)
    expect(page.get_by_role("button", name="Reset the height")).to_be_hidden()
    line(page).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert height(page) == pytest.approx(natural, abs=1)


@pytest.mark.long
@pytest.mark.parametrize("tag_format", ["check_all", pytest.param("yes_no", marks=pytest.mark.long)])
@pytest.mark.parametrize("viewport", [PHONE, pytest.param(ZOOMED, marks=pytest.mark.long)], ids=["phone", "zoomed"])
def test_the_videos_stay_in_sight_while_the_last_tag_is_set(workspace, study, viewport, tag_format):
    study.tag_format = tag_format
    study.save()
    page = workspace(viewport=viewport)
    page.locator(HARMLESSNESS).click()
    last = page.locator('[data-step="tags-right"] [data-tag]').last
    last.locator("input").first.focus()
    last.scroll_into_view_if_needed()
    for side in ("left", "right"):
        box = page.locator(f'[data-screen="{side}"]').bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= viewport["height"] / 2, "they leave half of the window for the questions"
    assert page.locator(f"{SCREEN} video[data-active]").evaluate(
        "video => { const box = video.getBoundingClientRect();"
        " return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === video }"
    )
    tag, foot = last.bounding_box(), page.locator(SCREEN).bounding_box()
    assert tag["y"] >= foot["y"] + foot["height"], "the tag is under the videos"


CUT = """() => [...document.querySelectorAll('main *, header *')].filter((element) => {
    const { overflowX, clipPath } = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height || clipPath !== 'none') return false;
    if (element.closest('[hidden], .visually-hidden, .screen, svg')) return false;
    const isCut = overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1;
    return isCut || box.right > innerWidth + 1 || box.left < -1;
}).map((element) => element.outerHTML.slice(0, 120))"""


@pytest.mark.long
@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.long)])
def test_nothing_is_cut_at_390_pixels(workspace, study, annotator, language):
    annotator.username, annotator.locale = "kim", "zh-hans" if language == "zh" else ""
    annotator.save()
    study.title = "Everyday scenes, made by two generators, for one prompt each"
    study.allow_ties = True
    study.save()
    page = workspace(viewport=PHONE, has_touch=True, is_mobile=True, locale="zh-CN" if language == "zh" else "en")
    for tab in (HELPFULNESS, HARMLESSNESS):
        page.locator(tab).click()
        assert page.evaluate(CUT) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.long)])
@pytest.mark.parametrize("tag_format", ["check_all", pytest.param("yes_no", marks=pytest.mark.long)])
@pytest.mark.long
def test_tags_have_14_pixels_and_all_of_them_are_in_sight(workspace, study, annotator, tag_format, language):
    if language == "zh":
        annotator.locale = "zh-hans"
        annotator.save()
    study.tag_format = tag_format
    study.save()
    for viewport in (WIDE, {"width": 1366, "height": 600}):
        page = workspace(viewport=viewport)
        page.locator(HARMLESSNESS).click()
        for tag in page.locator("[data-tag] span:not(:empty)").all():
            assert float(tag.evaluate("element => parseFloat(getComputedStyle(element).fontSize)")) >= 14
        if tag_format == "check_all" or viewport == WIDE:
            assert page.evaluate("(a => a.scrollHeight <= a.clientHeight)(document.querySelector('[data-answers]'))")
        overall = page.locator('[data-step="harmlessness"]').bounding_box()
        tags = [tag.bounding_box() for tag in page.locator("#panel-harmlessness [data-tag]").all()]
        assert max(tag["y"] + tag["height"] for tag in tags) <= overall["y"] + 1
        assert height(page) >= 200
        page.context.close()
