"""What may show harm is painted only when the person wants it: filter, warning, hiding.

The reports about it are checked too.
"""

from itertools import pairwise

import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import expect

from accounts import days
from accounts.models import ViewingPreference
from annotation.models import Annotation, Dose, Exposure
from tests import factories
from tests.browser.test_annotating import answer_by_mouse, submit_and_wait
from tests.browser.watching import READY, come_to, current, every_frame, part_of
from tests.web import wait_for

MAGENTA = (255, 0, 255)


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first", media_filter="greyscale")


@pytest.fixture
def address(study):
    return f"/studies/{study.slug}/workspace/"


@pytest.fixture
def workspace(open_page, annotator, address):
    return lambda **options: come_to(open_page(address, annotator, **options))


@pytest.fixture
def harmful_pairs(study, playable_pairs):
    return lambda count=1, **values: playable_pairs(
        study, count, clips=("magenta", "magenta"), **{"may_show": ["violence", "crime"]} | values
    )


def colourful(picture: Image.Image) -> float:
    """Return the share of the picture's pixels that are near magenta."""
    small = picture.resize((64, 64)).tobytes()
    pixels = zip(small[::3], small[1::3], small[2::3], strict=True)
    return sum(max(abs(a - b) for a, b in zip(pixel, MAGENTA, strict=True)) < 90 for pixel in pixels) / 64**2


def most_colourful(pictures, page, side):
    return max((colourful(part_of(picture, page, f'[data-screen="{side}"]')) for picture in pictures), default=0)


def painted(page, side):
    """Return how colourful a side is now."""
    with every_frame(page) as pictures:
        wait_for(lambda: page.evaluate("1") and pictures, "nothing was painted")
    return most_colourful(pictures, page, side)


@pytest.mark.long
def test_a_harmless_pair_is_shown_plain(workspace, harmful_pairs):
    harmful_pairs(may_show=[])
    page = workspace()
    assert painted(page, "left") > 0.3
    expect(page.locator('[data-veil="left"]')).to_be_hidden()
    expect(page.get_by_role("button", name="Greyscale")).to_be_hidden()


@pytest.mark.long
def test_a_pair_that_may_harm_is_never_painted_without_its_filter(workspace, harmful_pairs, address):
    harmful_pairs(2)
    page = workspace()
    with every_frame(page) as pictures:
        page.goto(address)
        come_to(page)
        page.locator('[data-action="play"]').click()
        page.wait_for_function("() => document.querySelector('video[data-active]').currentTime > 0.3")
        page.keyboard.press("Space")
        page.get_by_role("button", name="Full screen with both").click()
        page.wait_for_function("() => document.fullscreenElement")
        page.keyboard.press(".")
        page.get_by_role("button", name="Full screen with both").click()
        page.wait_for_function("() => !document.fullscreenElement")
        answer_by_mouse(page)
        submit_and_wait(page)
        page.wait_for_function(READY)
        page.locator('[data-action="play"]').click()
        page.wait_for_function("() => document.querySelector('video[data-active]').currentTime > 0.3")
    assert len(pictures) > 10
    assert max(colourful(picture) for picture in pictures) == 0


@pytest.mark.long
def test_hidden_videos_are_never_painted_and_stay_hidden_after_a_reload(workspace, harmful_pairs):
    harmful_pairs(may_show=[])
    page = workspace()
    page.locator('[data-action="play"]').click()
    page.keyboard.press("Escape")
    with every_frame(page) as pictures:
        page.reload()
        come_to(page)
        page.keyboard.press("Space")
        page.keyboard.press(".")
        page.locator(".screen").first.click(position={"x": 20, "y": 20})
        expect(page.locator('[data-cover="left"]')).to_be_visible()
    assert pictures
    assert max(colourful(picture) for picture in pictures) == 0
    page.keyboard.press("Escape")
    assert painted(page, "right") > 0.3


@pytest.mark.long
def test_a_blurred_video_has_to_be_revealed_before_it_counts_as_watched_and_the_page_says_so(
    workspace, annotator, harmful_pairs
):
    ViewingPreference.objects.create(user=annotator, media_filter="blur")
    harmful_pairs()
    page = workspace()
    left, right = page.locator("#gate-left"), page.locator("#gate-right")
    expect(left).to_have_text("Reveal and watch to the end to unlock")
    page.get_by_role("button", name="Reveal left").click()
    expect(left).to_have_text("Watch to the end to unlock")
    expect(right).to_have_text("Reveal and watch to the end to unlock")
    expect(page.get_by_role("button", name="Blur")).to_have_attribute("aria-pressed", "true")


@pytest.mark.long
def test_each_side_is_revealed_by_a_button_and_both_by_a_key(workspace, harmful_pairs):
    harmful_pairs()
    page = workspace()
    page.get_by_role("button", name="Reveal left").click()
    assert (painted(page, "left") > 0.3, painted(page, "right")) == (True, 0)
    page.keyboard.press("r")
    assert painted(page, "right") > 0.3
    expect(page.get_by_role("button", name="Greyscale")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("r")
    wait_for(lambda: (painted(page, "left"), painted(page, "right")) == (0, 0), "the filter did not come back")
    page.keyboard.press("e")
    page.keyboard.press("r")
    assert (painted(page, "left"), painted(page, "right") > 0.3) == (0, True)


@pytest.mark.long
def test_what_was_revealed_is_under_the_filter_again_after_hiding(workspace, harmful_pairs):
    harmful_pairs()
    page = workspace()
    page.keyboard.press("r")
    page.keyboard.press("Escape")
    with every_frame(page) as pictures:
        page.get_by_role("button", name="Show both videos").first.click()
        expect(page.locator('[data-cover="left"]')).to_be_hidden()
        wait_for(lambda: page.evaluate("1") and pictures, "nothing was painted")
    assert max(colourful(picture) for picture in pictures) == 0


def sharpest_edge(page, side):
    """Return the largest step in brightness between neighbours on a line across a side's bars, also in full screen."""
    with every_frame(page) as pictures:
        wait_for(lambda: page.evaluate("1") and pictures, "nothing was painted")
    screen = part_of(pictures[-1], page, f'[data-screen="{side}"]').convert("L")
    line = screen.crop((0, screen.height // 3, screen.width, screen.height // 3 + 1)).tobytes()
    return max(abs(a - b) for a, b in pairwise(line))


@pytest.mark.long
def test_a_blurred_picture_has_no_edges_in_any_size(workspace, annotator, study, playable_pairs):
    ViewingPreference.objects.create(user=annotator, media_filter="blur")
    playable_pairs(study, 1, clips=("moving", "moving"), may_show=["hate"])
    page = workspace()
    assert sharpest_edge(page, "left") < 25
    page.get_by_role("button", name="Full screen with both").click()
    page.wait_for_function("() => document.fullscreenElement")
    assert sharpest_edge(page, "left") < 25
    page.get_by_role("button", name="Reveal left").click()
    assert sharpest_edge(page, "left") > 40
    assert sharpest_edge(page, "right") < 25


@pytest.mark.long
def test_the_warning_is_generic_and_names_harms_for_who_asks(workspace, harmful_pairs, annotator, open_page, address):
    harmful_pairs()
    page = workspace()
    strips = page.locator("[data-veil-words]")
    expect(strips.first).to_have_text("May show something harmful")
    ViewingPreference.objects.create(user=annotator, name_categories=True)
    page.reload()
    come_to(page)
    for strip in strips.all():
        expect(strip).to_contain_text("May show: ")
        expect(strip).to_contain_text("Crime")
        expect(strip).to_contain_text("Violence, Injury, Gory Content")


@pytest.mark.long
def test_without_a_filter_the_warning_stands_until_the_pair_is_played(workspace, harmful_pairs, annotator):
    ViewingPreference.objects.create(user=annotator, media_filter="none")
    harmful_pairs()
    page = workspace()
    strip = page.locator('[data-veil="left"]')
    expect(strip).to_contain_text("May show something harmful")
    expect(strip.get_by_role("button")).to_be_hidden()
    assert painted(page, "left") > 0.3
    page.keyboard.press("Space")
    expect(strip).to_be_hidden()


@pytest.mark.long
def test_the_use_of_the_filter_is_recorded_and_what_was_revealed_settles_exposure(workspace, harmful_pairs):
    harmful_pairs()
    page = workspace()
    shown = current(page)
    page.get_by_role("button", name="Reveal left").click()
    page.locator('[data-action="play"]').click()
    page.wait_for_function("() => document.querySelector('video[data-active]').currentTime > 1")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    answer_by_mouse(page)
    submit_and_wait(page)
    wait_for(Annotation.objects.exists, "nothing was submitted")
    viewing = Annotation.objects.get().viewing
    left, right = (shown.left, "video_1" if shown.left == "video_0" else "video_0")
    presented = viewing["presentation"]
    assert (presented["filter"], presented["warning"]) == ("greyscale", "generic")
    assert presented["unfiltered_s"][left] > 0.5
    assert presented["unfiltered_s"][right] == 0
    assert presented["filtered_s"][right] > 0.5
    assert "hidden" not in str(viewing)
    exposure = Exposure.objects.get(assignment=shown)
    assert exposure.hidden == 1
    assert exposure.revealed_s == pytest.approx(presented["unfiltered_s"][left], abs=0.02)


def reveal_for(page, seconds):
    page.get_by_role("button", name="Reveal left").click()
    page.locator('[data-action="play"]').click()
    page.wait_for_function(f"() => document.querySelector('video[data-active]').currentTime > {seconds}")


@pytest.mark.long
def test_what_was_revealed_is_reported_when_the_page_is_closed_before_anything_is_answered(workspace, harmful_pairs):
    harmful_pairs()
    page = workspace()
    shown = current(page)
    reveal_for(page, 1.2)
    page.close(run_before_unload=True)
    reported = Exposure.objects.filter(assignment=shown, revealed_s__gt=1)
    row = wait_for(reported.first, "nothing was reported")
    [counters] = row.reported.values()
    assert counters[shown.left] == row.revealed_s


@pytest.mark.long
def test_each_time_that_a_pair_is_shown_adds_to_what_was_revealed(workspace, harmful_pairs):
    harmful_pairs()
    page = workspace()
    shown = current(page)
    reveal_for(page, 1.2)
    page.reload()
    come_to(page)
    first = wait_for(Exposure.objects.filter(assignment=shown, revealed_s__gt=1).first, "nothing was reported")
    reveal_for(page, 1.2)
    answer_by_mouse(page)
    submit_and_wait(page)
    wait_for(Annotation.objects.exists, "nothing was submitted")
    both = Exposure.objects.get(assignment=shown)
    assert len(both.reported) == 2
    assert both.revealed_s > first.revealed_s + 1


@pytest.mark.long
def test_an_answer_that_is_looked_at_again_and_left_as_it_is_counts_too(workspace, harmful_pairs):
    harmful_pairs(2)
    page = workspace()
    shown = current(page)
    answer_by_mouse(page)
    submit_and_wait(page)
    wait_for(Annotation.objects.exists, "nothing was submitted")
    before = Exposure.objects.get(assignment=shown).revealed_s
    page.goto(page.url.split("?")[0] + f"?reopen={shown.pk}")
    expect(page.locator("[data-revising-words]")).to_be_visible()
    reveal_for(page, 1.2)
    page.locator('[data-action="keep-answers"]').click()
    expect(page.locator("[data-revising]")).to_be_hidden()
    assert wait_for(Exposure.objects.filter(assignment=shown, revealed_s__gt=before + 1).first, "nothing was reported")
    assert Annotation.objects.count() == 1


@pytest.mark.long
def test_seconds_count_on_the_day_that_goes_on_after_a_change_of_the_time_zone(workspace, harmful_pairs, annotator):
    """In the new zone it is an earlier date. The page gets the day from the server."""
    harmful_pairs()
    annotator.time_zone = "Pacific/Kiritimati"
    today = days.day_of(annotator, timezone.now())
    Dose.objects.create(person=annotator, day=today, seconds=1)
    days.change_zone(annotator, "Etc/GMT+12", timezone.now())
    page = workspace()
    shown = current(page)
    reveal_for(page, 1.2)
    answer_by_mouse(page)
    submit_and_wait(page)
    wait_for(Annotation.objects.exists, "nothing was submitted")
    seen = Exposure.objects.filter(assignment=shown, revealed_s__gt=0)
    assert [row.day for row in seen] == [today]
