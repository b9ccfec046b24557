"""The library in a browser: hidden clips are painted hidden, pairs play, several can be held, and keys are enough."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from catalog.models import Pair
from safety import quarantine
from tests import factories
from tests.browser.test_player_protection import colourful
from tests.browser.watching import READY, every_frame
from tests.web import wait_for

pytestmark = pytest.mark.long

SIZES = {"wide": {"width": 1280, "height": 720}, "narrow": {"width": 420, "height": 800}}


@pytest.fixture
def study(db):
    return factories.study(media_filter="greyscale")


@pytest.fixture
def library(open_page, study, researcher):
    """Open a page of the study's library."""
    return lambda path="", **options: open_page(f"/studies/{study.slug}/library/{path}", researcher, **options)


@pytest.fixture
def harmful(study, playable_pairs):
    [pair] = playable_pairs(study, 1, clips=("magenta", "magenta"), may_show=["violence"])
    return pair


def most_colourful(pictures):
    return max((colourful(picture) for picture in pictures), default=0)


def painted(page):
    """Return how colourful the page is now."""
    with every_frame(page) as pictures:
        wait_for(lambda: page.evaluate("1") and pictures, "nothing was painted")
    return most_colourful(pictures)


def test_a_pair_is_never_painted_without_its_filter_until_it_is_revealed(library, harmful):
    page = library(f"pairs/{harmful.public_id}/")
    with every_frame(page) as pictures:
        page.reload()
        page.wait_for_function(READY)
        page.keyboard.press("Space")
        page.wait_for_function("() => document.querySelector('video[data-active]').currentTime > 0.3")
        page.keyboard.press("Space")
    assert len(pictures) > 3
    assert most_colourful(pictures) == 0
    page.get_by_role("button", name="Reveal left").click()
    assert painted(page) > 0.05
    page.keyboard.press("Escape")
    expect(page.locator('[data-cover="left"]')).to_be_visible()
    assert painted(page) == 0
    page.keyboard.press("Escape")
    assert painted(page) == 0  # visible again, but with the filter
    page.keyboard.press("r")
    expect(page.locator('[data-veil="left"]')).to_be_hidden()
    with every_frame(page) as pictures:
        page.reload()
        page.wait_for_function(READY)
    assert most_colourful(pictures[1:]) == 0


@pytest.mark.parametrize("place", ["videos/", "prompts/{prompt}/", "videos/{video}/"])
def test_no_poster_is_painted_without_its_filter(library, harmful, place):
    path = place.format(prompt=harmful.prompt.public_id, video=harmful.video_0.public_id)
    page = library(path)
    with every_frame(page) as pictures:
        page.reload(wait_until="networkidle")
    assert len(pictures) > 0
    assert most_colourful(pictures) == 0
    loaded = page.evaluate("[...document.querySelectorAll('.poster img')].every((image) => image.naturalWidth > 0)")
    assert loaded


def test_a_video_is_revealed_and_hidden_again_and_going_back_does_not_show_it(library, study, harmful):
    page = library(f"videos/{harmful.video_0.public_id}/")
    page.get_by_role("button", name="Reveal").press("Enter")
    expect(page.locator("[data-video]")).to_have_attribute("controls", "")
    assert painted(page) > 0.05
    page.keyboard.press("Escape")
    assert painted(page) == 0
    page.get_by_role("button", name="Reveal").click()
    page.goto(f"/studies/{study.slug}/library/")
    with every_frame(page) as pictures:
        page.go_back(wait_until="networkidle")
    expect(page.get_by_role("button", name="Reveal")).to_be_visible()
    assert most_colourful(pictures[1:]) == 0


def test_a_pair_plays_and_steps_by_keyboard(library, study, playable_pairs):
    [pair] = playable_pairs(study, 1)
    page = library(f"pairs/{pair.public_id}/")
    page.wait_for_function(READY)
    expect(page.locator('[data-veil="left"]')).to_be_hidden()
    page.keyboard.press(".")
    expect(page.locator("[data-time]")).to_contain_text("0.04")
    page.keyboard.press("e")
    expect(page.locator('[data-select="right"]')).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Space")
    expect(page.locator('button[data-action="play"]')).to_have_attribute("aria-label", "Pause")
    expect(page.get_by_role("button", name=re.compile("Report|Skip"))).to_have_count(0)


def test_addresses_that_have_expired_are_renewed(library, study, playable_pairs):
    [pair] = playable_pairs(study, 1)
    page = library()
    refused = []

    def once(route):
        refused.append(route.request.url)
        route.fulfill(status=410)

    page.route(re.compile(r"/media/.*\.mp4"), once, times=1)
    page.goto(f"/studies/{study.slug}/library/pairs/{pair.public_id}/")
    page.wait_for_function(READY)
    assert len(refused) == 1


def test_what_is_reported_while_it_is_looked_at_plays_no_more(library, harmful, annotator):
    page = library(f"pairs/{harmful.public_id}/")
    page.wait_for_function(READY)
    quarantine.report(harmful, ["video_0"], by=annotator)
    page.reload()
    expect(page.locator("h1")).not_to_contain_text("Pair")
    expect(page.locator("video")).to_have_count(0)


def test_several_pairs_are_held_and_released_by_keyboard(library, study):
    pairs = factories.pairs(study, 3)
    page = library("pairs/?sort=oldest")
    page.get_by_role("checkbox", name="Select all on this page").press("Space")
    expect(page.locator("[data-chosen]")).to_have_text("3 selected")
    page.get_by_role("checkbox", name=f"Select {pairs[1].public_id[:12]}").press("Space")
    expect(page.locator("[data-chosen]")).to_have_text("2 selected")
    page.get_by_label("Reason for the hold").fill("Cut off too soon")
    page.get_by_role("button", name="Hold the selected pairs").press("Enter")
    expect(page.get_by_text("2 pairs are now held.")).to_be_visible()
    assert page.url.endswith("/pairs/?sort=oldest")
    held = Pair.objects.filter(held="Cut off too soon").values_list("pk", flat=True).order_by("pk")
    assert list(held) == [pairs[0].pk, pairs[2].pk]
    page.get_by_label("State").select_option("held")
    page.get_by_role("button", name="Apply filters").click()
    page.wait_for_url("**/pairs/?sort=oldest&state=held")
    page.get_by_role("checkbox", name="Select all on this page").press("Space")
    page.get_by_role("button", name="Release the selected pairs").press("Enter")
    expect(page.get_by_text("2 pairs are released.")).to_be_visible()
    expect(page.get_by_text("Nothing matches these filters")).to_be_visible()


def test_a_list_is_searched_paged_and_downloaded(library, study, monkeypatch):
    for number in range(60):
        factories.prompt(study, text=f"A red ball number {number}")
    factories.prompt(study, text="Something else")
    page = library()
    page.get_by_label("Words or id").fill("ball red")
    page.get_by_label("Words or id").press("Enter")
    page.wait_for_url("**/library/?q=ball+red")
    expect(page.locator(".count")).to_have_text(re.compile(r"60\s+prompts"))
    page.get_by_role("link", name="Next").click()
    expect(page.locator("tbody tr")).to_have_count(10)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download as CSV").click()
    assert downloading.value.suggested_filename == f"{study.slug}-prompts.csv"
    assert len(downloading.value.path().read_text("utf-8-sig").splitlines()) == 61
    page.go_back()
    expect(page.locator("tbody tr")).to_have_count(50)


@pytest.fixture
def paths(study, playable_pairs, harmful):
    """Return every kind of page: full, empty and with errors."""
    [plain] = playable_pairs(study, 1)
    about = factories.prompt(study, text="A prompt whose video failed. " * 8, labels=["crime"], labelled_by="model-y")
    failed = factories.asset(state="failed", reason="The file has no picture, only sound.")
    broken = factories.video(about, asset=failed, generator="model-x", settings={"steps": 50, "scale": 7.5})
    factories.video(about, asset=factories.asset(state="waiting"))
    waiting = factories.pair(study, prompt=about, video_0=broken, held="A video of this pair could not be prepared.")
    return [
        "",
        "?q=nothing+of+the+kind",
        "?split=nonsense",
        "videos/",
        "pairs/",
        f"prompts/{about.public_id}/",
        f"videos/{broken.public_id}/",
        f"videos/{harmful.video_0.public_id}/",
        f"pairs/{harmful.public_id}/",
        f"pairs/{plain.public_id}/",
        f"pairs/{waiting.public_id}/",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_no_page_scrolls_sideways(library, open_page, researcher, paths, size, scheme):
    page = library(viewport=SIZES[size], color_scheme=scheme)
    base = page.url
    for path in paths:
        page.goto(base + path, wait_until="networkidle")
        found = Axe().run(page).response["violations"]
        assert [(path, v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"], path


def test_an_empty_library_says_how_it_is_filled(library):
    page = library()
    expect(page.get_by_text("There is nothing here yet")).to_be_visible()
    expect(page.get_by_role("link", name="Download as CSV")).to_have_count(0)
