"""How the videos were really watched, as it is sent with the answers."""

import pytest
from playwright.sync_api import expect

from annotation.models import Annotation
from tests import factories
from tests.browser.test_annotating import submit_and_wait
from tests.browser.watching import caption, come_to, current
from tests.web import wait_for

pytestmark = pytest.mark.long

PLAY = '[data-action="play"]'


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first")


@pytest.fixture
def workspace(open_page, study, annotator, playable_pairs):
    def open_it(*clips):
        playable_pairs(study, 1, clips=clips)
        return come_to(open_page(f"/studies/{study.slug}/workspace/", annotator))

    return open_it


def reported(page):
    """Return the report that arrives with the answers: of each side, and of both."""
    shown = current(page)
    # Tags do not require that the clips were watched.
    for side in ("left", "right"):
        page.locator('[data-tab="harmlessness"]').click()
        page.locator(f'label:has(input[name="tags-{side}"][value="crime"])').click()
    page.locator("label:has(#q-harmlessness-left)").click()
    page.locator('[data-tab="helpfulness"]').click()
    for question in ("instruction_following", "correctness", "informativeness", "aesthetics", "helpfulness"):
        page.locator(f"label:has(#q-{question}-left)").click()
    submit_and_wait(page)
    wait_for(Annotation.objects.exists, "nothing was submitted")
    viewing = Annotation.objects.get().viewing
    other = "video_1" if shown.left == "video_0" else "video_0"
    return viewing[shown.left], viewing[other], viewing["presentation"]


def turns(page, count):
    """Let both videos go round so many times: each end but the last is followed by a beginning."""
    page.evaluate(
        """() => { window.ends = 0; document.addEventListener('ended', () => { ends += 1; }, { capture: true }); }"""
    )
    page.locator(PLAY).click()
    page.wait_for_function("ends => window.ends >= ends", arg=2 * count)
    page.locator(PLAY).click()


def test_what_was_played_is_counted_in_seconds_and_turns(workspace):
    page = workspace("moving", "moving")
    turns(page, 2)
    for side in ("left", "right"):
        expect(caption(page, side)).to_contain_text("watched ✓")
    left, right, both = reported(page)
    for side in (left, right):
        assert side["seen_through"] is True
        assert side["loops"] == 2
        assert side["played_s"] == pytest.approx(2 * 1.5, abs=0.8)  # and the delay of the pause
    assert both["together_s"] == pytest.approx(left["played_s"], abs=0.3)
    assert both["singly_s"] < 0.3
    assert both["speeds"]["1"] == pytest.approx(both["together_s"] + both["singly_s"], abs=0.02)
    assert both["sound_s"] == 0
    assert both["native"] == {"video_0": [320, 180], "video_1": [320, 180]}
    assert both["box"][0] > 400


def test_double_speed_takes_half_the_seconds(workspace):
    page = workspace("numbered", "numbered too")
    page.get_by_label("Speed").select_option("2")
    page.get_by_label("Sound").select_option("left")
    turns(page, 2)
    left, _, both = reported(page)
    assert left["played_s"] == pytest.approx(2 * 2 / 2, abs=0.6)
    assert list(both["speeds"]) == ["2"]
    assert both["sound_s"] == pytest.approx(left["played_s"], abs=0.02)


def test_going_through_by_steps_and_seeks_is_not_playing(workspace):
    page = workspace("numbered", "numbered too")
    for frame in range(0, 48, 6):
        page.locator("[data-scrub]").fill(str(frame))
    page.locator("[data-scrub]").fill("47")
    left, right, both = reported(page)
    assert (left["played_s"], right["played_s"]) == (0, 0)
    assert (left["seen_through"], left["loops"]) == (False, 0)
    assert (both["together_s"], both["speeds"]) == (0, {})


def test_skipping_to_the_end_is_no_turn_and_does_not_count_as_watching(workspace):
    page = workspace("numbered", "numbered too")
    page.get_by_role("button", name="Loop").click()
    page.locator("[data-scrub]").fill("40")
    page.locator(PLAY).click()
    expect(page.locator(PLAY)).to_have_attribute("aria-pressed", "false")
    left, _, _ = reported(page)
    assert left["loops"] == 0
    assert left["seen_through"] is False
    assert 0.1 < left["played_s"] < 0.6


def test_playing_one_side_counts_only_for_that_side(workspace):
    page = workspace("moving", "moving")
    page.keyboard.press("e")
    page.locator(PLAY).click()
    expect(caption(page, "right")).to_contain_text("watched ✓")
    left, right, both = reported(page)
    assert left["played_s"] == 0
    assert right["seen_through"] is True
    assert both["singly_s"] == pytest.approx(right["played_s"], abs=0.02)
    assert both["together_s"] == 0


def test_a_hidden_tab_pauses_and_counts_nothing(workspace):
    page = workspace("numbered", "numbered too")
    page.locator(PLAY).click()
    page.wait_for_function("() => document.querySelector('video[data-active]').currentTime > 0.2")
    # A browser without windows shows every tab. So the page gets the event that a browser would send.
    page.evaluate(
        """() => { Object.defineProperty(document, "hidden", { value: true, configurable: true });
                   document.dispatchEvent(new Event("visibilitychange")); }"""
    )
    expect(page.locator(PLAY)).to_have_attribute("aria-pressed", "false")
    page.evaluate("() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); }")
    left, _, _ = reported(page)
    assert left["played_s"] < 1.5
    assert left["seen_through"] is False


def test_full_screen_is_recorded(workspace):
    page = workspace("moving", "moving")
    page.get_by_role("button", name="Full screen with both").click()
    page.wait_for_function("() => document.fullscreenElement")
    turns(page, 1)
    page.get_by_role("button", name="Full screen with both").click()
    page.wait_for_function("() => !document.fullscreenElement")
    _, _, both = reported(page)
    assert both["full_screen_s"] == pytest.approx(both["together_s"] + both["singly_s"], abs=0.02)


def test_counting_continues_after_a_reload(workspace, annotator):
    page = workspace("moving", "moving")
    turns(page, 1)
    page.locator("label:has(#q-correctness-left)").click()
    expect(page.locator("[data-status]")).to_contain_text("aved")
    page.reload()
    come_to(page)
    expect(caption(page, "left")).to_contain_text("watched ✓")
    turns(page, 1)
    left, _, _ = reported(page)
    assert left["loops"] == 2
    assert left["played_s"] > 2.5
