"""Escape closes what is open, or leaves full screen, or hides the videos. Only hiding them is counted."""

import pytest
from playwright.sync_api import expect

from annotation.models import Assignment, Exposure
from tests import factories
from tests.browser.watching import READY, come_to, current
from tests.web import wait_for

PLAY = '[data-action="play"]'
#: How each dialog of the workspace is opened, and whether it hides the videos. Four of them open only by themselves.
DIALOGS = {
    "help": ('[data-action="help"]', False),
    "guideline": (None, False),  # shows what changed in it; beside a pair it is no dialog
    "skip": ('.foot [data-action="skip"]', True),
    "report": ('[data-action="report-illegal"]', True),
    "talk": ('[data-bench] [data-action="talk"]', True),
    "welcome": (None, False),
    "sign-in": (None, False),
    "sign-out": (None, False),
}
PAUSED = "() => [...document.querySelectorAll('video[data-active]')].every((video) => video.paused)"


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first")


@pytest.fixture
def workspace(open_page, study, annotator, playable_pairs):
    def open_it(**options):
        playable_pairs(study, 1, clips=("moving", "moving"), may_show=["violence"])
        return come_to(open_page(f"/studies/{study.slug}/workspace/", annotator, **options))

    return open_it


def open_dialog(page, name):
    opener, _hides = DIALOGS[name]
    if opener:
        page.locator(opener).first.click()
    else:
        selector = "[data-sign-out-dialog]" if name == "sign-out" else f'[data-dialog="{name}"]'
        page.evaluate("selector => document.querySelector(selector).showModal()", selector)
    expect(page.get_by_role("dialog")).to_be_visible()


def is_hidden(page):
    return page.locator("[data-player][data-hidden]").count() == 1


def play(page):
    page.locator(PLAY).click()
    page.wait_for_function("() => document.querySelector('video[data-active]').currentTime > 0.1")


def hides_counted(page):
    """Return the number of hides that arrives with a skip, which ends the pair."""
    shown = current(page)
    open_dialog(page, "skip")
    page.get_by_label("Cannot judge").check()
    page.get_by_role("button", name="Skip pair").click()
    wait_for(lambda: Assignment.objects.filter(pk=shown.pk, state="skipped").exists(), "it was not skipped")
    return Exposure.objects.get(assignment=shown).hidden


@pytest.mark.long
@pytest.mark.parametrize("name", DIALOGS)
def test_an_open_dialog_pauses_the_videos_and_escape_only_closes_it(workspace, name):
    page = workspace()
    play(page)
    open_dialog(page, name)
    page.wait_for_function(PAUSED)
    assert is_hidden(page) == DIALOGS[name][1]
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert is_hidden(page) == DIALOGS[name][1]
    assert page.evaluate(PAUSED)
    expect(page.locator(PLAY)).to_have_attribute("aria-pressed", "false")


@pytest.mark.long
def test_no_dialog_counts_as_a_hide_and_only_a_free_escape_does(workspace):
    page = workspace()
    for name in (*DIALOGS, "help", "help"):
        open_dialog(page, name)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("[data-cover]").first.get_by_role("button").click()
    page.keyboard.press("Escape")
    assert is_hidden(page)
    page.keyboard.press("Escape")
    assert not is_hidden(page)
    assert hides_counted(page) == 1


@pytest.mark.long
def test_closing_help_twice_hides_nothing_and_counts_nothing(workspace):
    page = workspace()
    for _ in range(2):
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert not is_hidden(page)
    assert hides_counted(page) == 0


@pytest.mark.long
@pytest.mark.parametrize("by", ["the browser", "the page"])
def test_escape_leaves_full_screen_and_hides_nothing(workspace, by):
    page = workspace()
    page.get_by_role("button", name="Full screen with both").click()
    page.wait_for_function("() => document.fullscreenElement")
    if by == "the browser":
        page.evaluate("document.exitFullscreen()")  # a browser with a window does not pass the key on
    else:
        page.keyboard.press("Escape")
    page.wait_for_function("() => !document.fullscreenElement")
    page.evaluate(
        "() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
    )  # its event
    assert not is_hidden(page)
    page.keyboard.press("Escape")
    assert is_hidden(page)
    assert hides_counted(page) == 1


@pytest.mark.long
def test_a_key_that_arrives_after_the_browser_left_full_screen_by_it_hides_nothing(workspace):
    page = workspace()
    page.get_by_role("button", name="Full screen with both").click()
    page.wait_for_function("() => document.fullscreenElement")
    page.evaluate(
        """async () => {
            const press = new KeyboardEvent("keydown", { key: "Escape", code: "Escape", bubbles: true });
            const left = new Promise((done) => document.addEventListener("fullscreenchange", done, { once: true }));
            document.exitFullscreen();
            await left;
            document.body.dispatchEvent(press);  // pressed before, delivered after
        }"""
    )
    assert not is_hidden(page)
    assert hides_counted(page) == 0


@pytest.mark.long
def test_a_dialog_that_opens_in_full_screen_leaves_it(workspace):
    page = workspace()
    page.get_by_role("button", name="Full screen with both").click()
    page.wait_for_function("() => document.fullscreenElement")
    open_dialog(page, "sign-in")
    page.wait_for_function("() => !document.fullscreenElement")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert not is_hidden(page)


@pytest.mark.long
def test_escape_closes_a_menu_and_hides_nothing(workspace):
    page = workspace()
    page.locator("[data-menu] > summary").click()
    page.keyboard.press("Escape")
    expect(page.locator("[data-menu][open]")).to_have_count(0)
    assert not is_hidden(page)
    page.keyboard.press("Escape")
    assert is_hidden(page)


@pytest.mark.long
def test_nothing_plays_behind_a_dialog(workspace):
    page = workspace()
    open_dialog(page, "help")
    page.evaluate("document.querySelector('[data-action=play]').click()")
    assert page.evaluate(PAUSED)
    page.keyboard.press("Escape")
    expect(page.locator(PLAY)).to_have_attribute("aria-pressed", "false")


@pytest.mark.long
def test_in_the_library_escape_does_one_thing_too(open_page, study, researcher, playable_pairs):
    pair = playable_pairs(study, 1, clips=("moving", "moving"))[0]
    page = open_page(f"/studies/{study.slug}/library/pairs/{pair.public_id}/", researcher)
    page.wait_for_function(READY)
    page.get_by_role("button", name="Full screen with both").click()
    page.wait_for_function("() => document.fullscreenElement")
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.fullscreenElement")
    assert not is_hidden(page)
    page.locator("[data-menu] > summary").first.click()
    page.keyboard.press("Escape")
    expect(page.locator("[data-menu][open]")).to_have_count(0)
    assert not is_hidden(page)
    page.keyboard.press("Escape")
    assert is_hidden(page)
