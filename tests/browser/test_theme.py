"""The workspace is dark from the first paint on, unless its person has chosen otherwise."""

import pytest
from playwright.sync_api import expect

from tests.browser.watching import every_frame
from tests.web import wait_for

SCHEME = "() => getComputedStyle(document.body).colorScheme"
DARK = 90  # brightness of a page, of 255


def brightness(picture):
    return picture.convert("L").resize((1, 1)).getpixel((0, 0))


def shows_a_page(picture):
    """Return whether this is a page, not the empty canvas that a busy browser may show before its first paint."""
    darkest, brightest = picture.convert("L").getextrema()
    return brightest - darkest > DARK


@pytest.fixture
def workspace(open_page, study, annotator):
    """Return the page before any pair, where nothing but the theme is bright or dark."""
    return lambda **options: open_page(f"/studies/{study.slug}/workspace/", annotator, **options)


@pytest.mark.long
@pytest.mark.parametrize("system", ["light", "dark"])
def test_it_is_dark_whatever_the_system_says(workspace, system):
    page = workspace(color_scheme=system)
    assert page.evaluate(SCHEME) == "dark"


@pytest.mark.long
def test_a_choice_applies_at_once_and_after_a_reload_without_a_dark_moment(workspace):
    page = workspace(color_scheme="dark")
    page.locator('[data-action="help"]').click()
    page.get_by_label("Theme").select_option("light")
    assert page.evaluate(SCHEME) == "light"
    page.keyboard.press("Escape")
    with every_frame(page) as pictures:
        wait_for(lambda: page.evaluate("1") and pictures and brightness(pictures[-1]) > DARK, "it stayed dark")
        pictures.clear()
        page.reload()
        expect(page.locator("[data-empty]")).to_be_visible()
        page.locator('[data-action="help"]').hover()
        wait_for(lambda: page.evaluate("1") and any(map(shows_a_page, pictures)), "nothing was painted")
    assert page.evaluate(SCHEME) == "light"
    assert min(brightness(picture) for picture in pictures if shows_a_page(picture)) > DARK


@pytest.mark.long
@pytest.mark.parametrize(("system", "is_dark"), [("light", False), ("dark", True)])
def test_it_follows_the_system_where_its_person_wants_that(workspace, system, is_dark):
    page = workspace(color_scheme=system)
    page.locator('[data-action="help"]').click()
    page.get_by_label("Theme").select_option("system")
    page.keyboard.press("Escape")
    with every_frame(page) as pictures:
        page.locator('[data-action="help"]').hover()
        page.reload()
        expect(page.locator("[data-empty]")).to_be_visible()
    assert (brightness(pictures[-1]) < DARK) is is_dark
