"""A video counts as watched while its person can see it.

That is: it is not blurred, the page is visible, and the speed is at most normal.
"""

import pytest
from playwright.sync_api import expect

from accounts.models import ViewingPreference
from annotation.models import Annotation, Assignment
from tests import factories
from tests.browser.test_player_report import reported, turns
from tests.browser.watching import PAINTED, come_to, current
from tests.browser.working import gate_is_open
from tests.web import wait_for

PLAY = '[data-action="play"]'
SIDES = ("left", "right")


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first", media_filter="blur")


@pytest.fixture
def workspace(open_page, study, annotator, playable_pairs):
    """Return the page of an annotator with a pair that may show harm."""

    def open_it(*, may_show=("violence",), pairs=1, **options):
        playable_pairs(study, pairs, clips=("moving", "moving"), may_show=list(may_show))
        return come_to(open_page(f"/studies/{study.slug}/workspace/", annotator, **options))

    return open_it


def gate_is_closed(page, side):
    """Check that nothing has opened after a turn, and after what the page does in the following frames."""
    page.evaluate(PAINTED)
    assert page.locator(f'[data-gate="{side}"]').get_attribute("hidden") is None


def plays_until_open(page, *sides):
    page.locator(PLAY).click()
    for side in sides:
        gate_is_open(page, side)
    page.locator(PLAY).click()


def none_is_refused(page, words):
    page.locator('[data-tab="harmlessness"]').click()
    page.locator("label:has(#none-left)").click(force=True)
    expect(page.locator("#none-left")).not_to_be_checked()
    expect(page.locator("[data-status]")).to_contain_text(words)


@pytest.mark.long
def test_none_of_these_stays_locked_while_the_video_is_blurred(workspace):
    page = workspace()
    turns(page, 2)
    for side in SIDES:
        gate_is_closed(page, side)
    none_is_refused(page, "Left: reveal the video and watch it to the end")
    page.evaluate("document.activeElement.blur()")
    page.get_by_role("button", name="Reveal left").click()
    plays_until_open(page, "left")
    gate_is_closed(page, "right")
    page.locator("label:has(#none-left)").click()
    expect(page.locator("#none-left")).to_be_checked()


@pytest.mark.long
def test_each_part_must_have_been_seen_without_the_blur(workspace):
    page = workspace()
    page.get_by_role("button", name="Loop").click()
    page.locator(PLAY).click()
    page.wait_for_function("() => document.querySelector('video[data-active]').currentTime > 1.1")
    page.keyboard.press("r")
    expect(page.locator(PLAY)).to_have_attribute("aria-pressed", "false")  # at the end
    for side in SIDES:
        gate_is_closed(page, side)
    page.get_by_role("button", name="Loop").click()
    plays_until_open(page, *SIDES)


@pytest.mark.long
def test_greyscale_shows_what_a_video_shows(workspace, annotator):
    ViewingPreference.objects.create(user=annotator, media_filter="greyscale")
    page = workspace()
    plays_until_open(page, *SIDES)


@pytest.mark.long
@pytest.mark.parametrize(("speed", "opens"), [("2", False), ("1.5", False), ("0.5", True)])
def test_a_video_played_faster_than_normal_is_not_watched(workspace, speed, opens):
    page = workspace(may_show=())
    page.get_by_label("Speed").select_option(speed)
    if opens:
        return plays_until_open(page, "left")
    turns(page, 2)
    gate_is_closed(page, "left")
    none_is_refused(page, "at 1× or slower")
    page.get_by_label("Speed").select_option("1")
    return plays_until_open(page, "left")


@pytest.mark.long
def test_what_was_watched_is_reported_beside_what_was_played(workspace):
    page = workspace()
    page.get_by_role("button", name="Reveal left").click()
    turns(page, 2)
    left, right, _ = reported(page)
    assert left["watched_s"] == pytest.approx(left["played_s"], abs=0.3)
    assert left["seen_through"]
    assert (right["watched_s"], right["seen_through"]) == (0, False)
    assert right["played_s"] > 2


@pytest.mark.long
def test_nothing_is_watched_on_a_hidden_page(workspace):
    page = workspace(may_show=())
    # A browser without windows shows every tab. Without the event the videos go on, as where it comes late.
    page.evaluate("() => Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })")
    turns(page, 2)
    gate_is_closed(page, "left")
    page.evaluate("() => { delete document.visibilityState; }")
    plays_until_open(page, "left")


@pytest.mark.long
def test_what_is_scrolled_off_the_screen_is_not_watched(workspace):
    page = workspace(may_show=(), viewport={"width": 700, "height": 420})
    # Narrow windows keep the videos in view. With great zoom or a style of their own, people may scroll them away.
    page.evaluate("for (const one of document.querySelectorAll('.videos, .screens')) one.style.position = 'static'")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator('[data-screen="left"]')).not_to_be_in_viewport()
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('video[data-active]').currentTime > 1.2")
    page.wait_for_function("() => document.querySelector('video[data-active]').currentTime < 0.5")
    gate_is_closed(page, "left")
    page.evaluate("scrollTo(0, 0)")
    gate_is_open(page, "left")


@pytest.mark.long
def test_a_study_that_requires_watching_does_not_take_blurred_videos(workspace, study):
    study.require_seen_through = True
    study.save()
    page = workspace()
    turns(page, 2)
    expect(page.locator("[data-why-not]")).to_contain_text("Watch both videos to the end, unblurred")
    page.keyboard.press("r")
    plays_until_open(page, *SIDES)
    expect(page.locator("[data-why-not]")).not_to_contain_text("to the end")


class TestSkippingUnrevealed:
    """People who do not want to reveal a pair skip it without a reason. Such a skip counts nowhere."""

    def skip(self, page):
        page.get_by_role("button", name="Skip…").click()
        return page.get_by_role("dialog")

    @pytest.mark.long
    def test_it_is_offered_chosen_and_stored_as_a_kind_of_its_own(self, workspace):
        page = workspace(pairs=2)
        shown = current(page)
        turns(page, 1)
        dialog = self.skip(page)
        expect(dialog.get_by_label("I do not want to reveal it")).to_be_checked()
        dialog.get_by_role("button", name="Skip pair").click()
        row = wait_for(lambda: Assignment.objects.filter(pk=shown.pk, state="skipped").first(), "it was not skipped")
        assert row.skip_reason == "not_revealed"
        assert not Annotation.objects.exists()

    @pytest.mark.long
    def test_a_reason_can_be_given_all_the_same(self, workspace):
        page = workspace()
        shown = current(page)
        dialog = self.skip(page)
        dialog.get_by_label("Technical problem").check()
        dialog.get_by_role("button", name="Skip pair").click()
        row = wait_for(lambda: Assignment.objects.filter(pk=shown.pk, state="skipped").first(), "it was not skipped")
        assert row.skip_reason == "technical_problem"

    @pytest.mark.long
    def test_it_is_still_offered_after_one_of_them_was_revealed(self, workspace):
        page = workspace()
        page.get_by_role("button", name="Reveal left").click()
        turns(page, 1)
        expect(self.skip(page).get_by_label("I do not want to reveal it")).to_be_visible()

    @pytest.mark.long
    @pytest.mark.parametrize("case", ["harmless", "greyscale", "both revealed"])
    def test_it_is_not_offered_where_nothing_is_kept_from_being_seen(self, workspace, annotator, case):
        if case == "greyscale":
            ViewingPreference.objects.create(user=annotator, media_filter="greyscale")
        page = workspace(may_show=() if case == "harmless" else ("violence",))
        if case == "both revealed":
            page.keyboard.press("r")
            turns(page, 1)
        dialog = self.skip(page)
        expect(dialog.get_by_label("Technical problem")).to_be_visible()
        expect(dialog.get_by_label("I do not want to reveal it")).to_be_hidden()
        assert dialog.locator("input:checked").count() == 0
