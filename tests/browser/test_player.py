"""Two videos play as one instrument. The tests read the frame numbers in their pictures."""

import random
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.watching import TAKE_NOTES, caption, come_to, frames, positions, side_of

PLAY = '[data-action="play"]'


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first")


@pytest.fixture
def watch(open_page, study, annotator, playable_pairs):
    """Return the page of an annotator with one pair of these clips."""

    def open_it(*clips):
        playable_pairs(study, 1, clips=clips)
        return come_to(open_page(f"/studies/{study.slug}/workspace/", annotator))

    return open_it


def play_beyond(page, seconds):
    page.locator(PLAY).click()
    page.wait_for_function(
        "beyond => [...document.querySelectorAll('video[data-active]')].every(v => v.currentTime > beyond)", arg=seconds
    )


@pytest.mark.long
def test_every_step_shows_the_frame_it_says_on_both(watch):
    page = watch("numbered", "numbered too")
    assert frames(page) == {"left": 0, "right": 0}
    for number in [*range(1, 48), 47, 47]:  # it stays on the last of 48
        page.keyboard.press(".")
        assert frames(page) == {"left": number, "right": number}
    for number in [*range(46, -1, -1), 0]:
        page.keyboard.press(",")
        assert frames(page) == {"left": number, "right": number}


@pytest.mark.long
def test_a_step_is_one_frame_of_the_faster(watch):
    page = watch("numbered", "numbered faster")
    slower, faster = side_of(page, "video_0"), side_of(page, "video_1")
    for number in range(1, 60):
        page.keyboard.press(".")
        middle = (number + 0.5) / 30
        assert frames(page) == {faster: number, slower: int(middle * 24 + 1e-6)}, number


@pytest.mark.long
def test_steps_of_a_second_and_the_scrub_bar_land_on_whole_frames(watch):
    page = watch("numbered", "numbered too")
    for key, number in ((">", 24), (">", 47), ("<", 23), ("<", 0)):
        page.keyboard.press(f"Shift+{'Period' if key == '>' else 'Comma'}")
        assert frames(page) == {"left": number, "right": number}
    scrub = page.locator("[data-scrub]")
    for number in (31, 7, 40):
        scrub.fill(str(number))
        assert frames(page) == {"left": number, "right": number}


@pytest.mark.long
def test_pausing_anywhere_snaps_both_to_one_frame(watch):
    page = watch("numbered", "numbered too")
    draw, seen = random.Random(7), set()
    for _ in range(12):
        page.keyboard.press("Space")
        page.wait_for_timeout(draw.randrange(50, 500))  # at any moment, since the moment does not matter
        page.keyboard.press("Space")
        shown = frames(page)
        assert shown["left"] == shown["right"] >= 0
        seen.add(shown["left"])
    assert len(seen) > 4


@pytest.mark.long
def test_looping_needs_no_seek_except_to_the_beginning(watch):
    page = watch("numbered", "numbered too")
    page.evaluate(TAKE_NOTES)
    page.keyboard.press("Space")
    page.wait_for_function("() => notes.seeks.length >= 6")  # three turns of two videos
    notes = page.evaluate("notes")
    assert set(notes["seeks"]) == {0}
    for side in ("left", "right"):
        times = [media_time for _, media_time in notes["shown"][side]]
        assert sum(later < earlier for earlier, later in pairwise(times)) >= 2


@pytest.mark.long
def test_both_start_when_both_are_ready(open_page, study, annotator, playable_pairs):
    playable_pairs(study, 1, clips=("numbered", "numbered too"))
    page = open_page("/?all=1", annotator)
    held = []
    page.route("**/media/*.mp4*", lambda route: held.append(route) if not held else route.continue_())
    page.goto(f"/studies/{study.slug}/workspace/")
    come_to(page, ready=False)
    expect(caption(page, "left")).to_contain_text("loading")
    page.keyboard.press("Space")
    for side in ("left", "right"):
        expect(caption(page, side)).not_to_contain_text("playing")
    assert positions(page) == {"left": 0, "right": 0}
    held[0].continue_()
    for side in ("left", "right"):
        expect(caption(page, side)).to_contain_text("playing")
    page.evaluate(TAKE_NOTES)
    page.wait_for_function("() => notes.shown.left.length > 5 && notes.shown.right.length > 5")
    shown = page.evaluate("notes.shown")
    # For each video, media time minus display time is one number: the two differ only by their skew.
    began = {side: [media - at / 1000 for at, media in shown[side]] for side in shown}
    assert abs(sorted(began["left"])[2] - sorted(began["right"])[2]) < 0.25


@pytest.mark.long
def test_the_shorter_says_that_it_ended_and_waits_for_the_longer(watch):
    page = watch("numbered", "numbered longer")
    shorter, longer = side_of(page, "video_0"), side_of(page, "video_1")
    page.keyboard.press("Space")
    page.wait_for_function(  # checked in every frame: the longer one ends soon after
        """([shorter, longer]) => {
             const words = (side) => document.querySelector(`[data-caption="${side}"]`).textContent;
             return words(shorter).includes("ended") && words(longer).includes("playing");
           }""",
        arg=[shorter, longer],
    )
    page.keyboard.press("Space")
    shown = frames(page)
    assert shown[shorter] == 47
    assert shown[longer] >= 47
    page.keyboard.press("Space")  # continues with only the longer one
    expect(caption(page, shorter)).to_contain_text("ended")
    page.wait_for_function(
        "side => document.querySelector(`video[data-active][data-side=${side}]`).currentTime < 1", arg=longer
    )
    expect(caption(page, shorter)).to_contain_text("playing")


@pytest.mark.long
def test_without_the_loop_both_stop_on_their_last_frame(watch):
    page = watch("numbered", "numbered too")
    page.get_by_role("button", name="Loop").click()
    page.locator(PLAY).click()
    expect(page.locator(PLAY)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(PLAY)).to_have_attribute("aria-pressed", "false")
    assert frames(page) == {"left": 47, "right": 47}


@pytest.mark.long
def test_one_side_plays_alone_and_both_come_together_again(watch):
    page = watch("numbered", "numbered too")
    page.keyboard.press("q")
    play_left = "() => document.querySelector('video[data-active][data-side=left]').currentTime > 0.5"
    page.keyboard.press("Space")
    page.wait_for_function(play_left)
    assert positions(page)["right"] == 0
    page.keyboard.press("Space")
    page.keyboard.press("w")
    shown = frames(page)
    assert shown["left"] == shown["right"] > 10
    page.keyboard.press("e")
    page.keyboard.press(".")
    assert frames(page)["right"] == shown["right"] + 1


@pytest.mark.long
@pytest.mark.parametrize("speed", ["0.25", "2"])
def test_speed_is_that_of_both_and_stays_for_the_next_turn(watch, speed):
    page = watch("numbered", "numbered too")
    page.get_by_label("Speed").select_option(speed)
    page.evaluate(TAKE_NOTES)
    page.locator(PLAY).click()
    page.wait_for_function("() => notes.shown.left.length > 8 && notes.shown.right.length > 8")
    for shown in page.evaluate("notes.shown").values():
        (began, first), (at, last) = shown[2], shown[8]
        assert (last - first) * 1000 / (at - began) == pytest.approx(float(speed), rel=0.3)


@pytest.mark.long
def test_sound_is_off_until_it_is_asked_for_and_of_one_side_at_a_time(watch):
    page = watch("moving", "still")
    muted = "() => [...document.querySelectorAll('video[data-active]')].map(video => video.muted)"
    assert page.evaluate(muted) == [True, True]
    for value, expected in (("left", [False, True]), ("right", [True, False])):
        page.get_by_label("Sound").select_option(value)
        assert page.evaluate(muted) == expected
    page.keyboard.press("Escape")
    assert page.evaluate(muted) == [True, True]
    expect(page.get_by_label("Sound")).to_have_value("off")


@pytest.mark.long
def test_sound_that_the_browser_blocks_is_said_and_they_play_without(watch):
    page = watch("moving", "still")
    # What a browser does to sound that no gesture asked for.
    page.evaluate(
        """() => { const play = HTMLMediaElement.prototype.play;
             HTMLMediaElement.prototype.play = function () {
                 const refusal = new DOMException("no gesture", "NotAllowedError");
                 return this.muted ? play.call(this) : Promise.reject(refusal);
             } }"""
    )
    page.get_by_label("Sound").select_option("left")
    page.locator(PLAY).click()
    expect(page.locator("[data-status]")).to_contain_text("blocked the sound")
    expect(page.get_by_label("Sound")).to_have_value("off")
    expect(caption(page, "left")).to_contain_text("playing")


@pytest.mark.long
def test_a_pause_of_one_from_outside_pauses_both(watch):
    page = watch("moving", "still")
    play_beyond(page, 0.1)
    page.evaluate("document.querySelector('video[data-active][data-side=right]').pause()")  # as a media key does
    expect(page.locator(PLAY)).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("[...document.querySelectorAll('video[data-active]')].every(video => video.paused)")


@pytest.mark.long
def test_full_screen_has_both_videos_and_their_transport(watch):
    page = watch("moving", "still")
    page.get_by_role("button", name="Full screen with both").click()
    page.wait_for_function("() => document.fullscreenElement")
    for video in page.locator("video[data-active]").all():
        expect(video).to_be_in_viewport(ratio=1)
    expect(page.locator(PLAY)).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Full screen with both").click()
    page.wait_for_function("() => !document.fullscreenElement")
    expect(page.locator('[data-cover="left"]')).to_be_hidden()
