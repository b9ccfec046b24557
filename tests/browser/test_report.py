"""Reporting illegal material, from the annotator's button to the safety officer's page, in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import expect

from annotation.models import Assignment
from catalog.models import Pair
from media.addresses import playback_url
from safety import quarantine
from safety.models import Quarantine, Report
from tests import factories
from tests.web import wait_for

OPEN, CONFIRM = '[data-action="report-illegal"]', '[data-action="confirm-report"]'
NARROW = {"width": 420, "height": 800}


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first", harmless_after=0)


@pytest.fixture
def workspace(open_page, study, annotator, playable_pairs):
    """Return the page of an annotator who has pairs to answer."""
    playable_pairs(study, 3)

    def open_it(**options):
        page = open_page(f"/studies/{study.slug}/workspace/", annotator, **options)
        expect(page.locator("body[data-assignment]")).to_be_visible()
        page.wait_for_function("() => [...document.querySelectorAll('video')].every(video => video.readyState >= 3)")
        return page

    return open_it


def current(page):
    return Assignment.objects.get(pk=int(page.locator("body").get_attribute("data-assignment")))


def paused(page):
    return page.evaluate("[...document.querySelectorAll('video[data-active]')].every(video => video.paused)")


@pytest.mark.long
def test_opening_the_sheet_hides_pauses_and_mutes_both_before_anything_is_asked(workspace):
    page = workspace()
    page.locator('button[data-action="play"]').click()
    page.locator(OPEN).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.locator("[data-player][data-hidden]")).to_have_count(1)
    wait_for(lambda: paused(page), "the videos did not pause")
    assert page.locator('[name="report-which"]:checked').count() == 0
    assert page.get_by_role("dialog").locator("textarea, input[type=text]").count() == 0
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("[data-player][data-hidden]")).to_have_count(1)
    assert not Quarantine.objects.exists()


@pytest.mark.long
def test_a_report_removes_the_named_video_and_brings_the_next_pair(workspace):
    page = workspace()
    shown = current(page)
    right = "video_1" if shown.left == "video_0" else "video_0"
    page.locator(OPEN).click()
    page.get_by_label("The right one").check()
    page.locator(CONFIRM).click()
    expect(page.locator("[data-status]")).to_contain_text("Report sent")
    expect(page.locator(f'body[data-assignment="{shown.pk}"]')).to_have_count(0)
    assert Quarantine.objects.get().asset == getattr(shown.pair, right).asset
    address = playback_url(Quarantine.objects.get().asset.public_id, shown.person_id, None, 3600)
    assert page.request.get(address).status == 404
    assert Assignment.objects.get(pk=shown.pk).state == "released"


def report_one(page):
    page.locator(OPEN).click()
    page.get_by_label("The left one").check()
    page.locator(CONFIRM).click()


@pytest.mark.long
def test_after_a_report_the_page_offers_to_talk_to_someone(workspace):
    page = workspace()
    report_one(page)
    offer = page.locator("[data-status-ways]").get_by_role("button", name="Talk to someone")
    expect(offer).to_be_visible()
    offer.click()
    expect(page.locator('[data-dialog="talk"]')).to_be_visible()
    expect(page.locator("[data-player][data-hidden]")).to_have_count(1)


@pytest.mark.long
def test_a_sixth_report_says_that_officers_were_called(workspace, annotator):
    for pair in factories.pairs(factories.study(), 5):
        quarantine.report(pair, ["video_0"], by=annotator)
    page = workspace()
    report_one(page)
    expect(page.locator("[data-status]")).to_contain_text("The safety officers have been notified")
    expect(page.locator("[data-status-ways]").get_by_role("button", name="Talk to someone")).to_be_visible()


@pytest.mark.long
def test_no_single_key_opens_it(workspace):
    page = workspace()
    for key in "abcdefghijklmnopqrstuvwxyz0123456789":
        page.keyboard.press(key)
        assert page.locator('[data-dialog="report"][open]').count() == 0


@pytest.mark.long
def test_a_report_can_be_made_by_keyboard_only(workspace):
    page = workspace()
    page.locator(OPEN).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("The left one")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("The right one")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.locator("[data-status]")).to_contain_text("Report sent")
    assert Report.objects.count() == 1


@pytest.mark.long
def test_what_was_reported_is_not_shown_in_the_pair_that_waits_behind(open_page, study, annotator, playable):
    prompt = factories.prompt(study)
    shared = factories.video(prompt, asset=playable("moving"))
    for _ in range(2):
        other = factories.video(prompt, asset=playable("still"))
        factories.pair(study, prompt=prompt, video_0=shared, video_1=other)
    page = open_page(f"/studies/{study.slug}/workspace/", annotator)
    expect(page.locator("body[data-assignment]")).to_be_visible()
    shown = current(page)
    page.locator(OPEN).click()
    page.get_by_label("The left one" if shown.left == "video_0" else "The right one").check()
    page.locator(CONFIRM).click()
    expect(page.locator("[data-empty]")).to_be_visible()
    wait_for(lambda: not Pair.objects.usable().exists(), "the pairs are still there")
    expect(page.locator('[data-when="nothing_yet"]')).to_be_visible()


@pytest.mark.long
def test_a_report_without_a_network_is_sent_when_it_is_back(workspace):
    page = workspace()
    page.context.set_offline(True)
    page.locator(OPEN).click()
    page.get_by_role("radio", name="Both of them").check()
    page.locator(CONFIRM).click()
    assert not Report.objects.exists()
    page.context.set_offline(False)
    expect(page.locator("[data-status]")).to_contain_text("Report sent")
    assert Quarantine.objects.count() == 2


@pytest.mark.long
def test_the_sheet_passes_axe_in_both_sizes(workspace):
    page = workspace()
    page.locator(OPEN).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    page.set_viewport_size(NARROW)
    assert Axe().run(page).response["violations"] == []


@pytest.mark.long
def test_an_officer_sets_up_a_second_factor_looks_blurred_first_and_releases(
    open_page, study, annotator, playable_pairs
):
    pair = playable_pairs(study, 1)[0]
    officer = factories.officer(study)
    page = open_page("/", annotator)
    desk = page.request.post(f"/api/v1/studies/{study.slug}/assignments/", headers={"X-CSRFToken": token(page)}).json()
    page.request.post(
        f"/api/v1/assignments/{desk['current']['id']}/report/",
        data={"videos": ["video_0"]},
        headers={"X-CSRFToken": token(page)},
    )

    page = open_page("/safety/", officer)
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    wait_for(lambda: page.evaluate("document.querySelector('.qr').naturalWidth"), "the QR code did not load")
    look(page)
    page.locator("#code").fill(f"{totp(TOTPDevice.objects.get(user=officer).bin_key):06d}")
    page.get_by_role("button", name="Finish the setup").click()
    expect(page.locator(".codes li")).to_have_count(10)
    look(page)
    page.get_by_role("link", name="I have saved them").click()

    page.get_by_role("link", name="Report 1").or_(page.locator("tbody a").first).first.click()
    look(page)
    page.get_by_role("button", name="Open the video").click()
    video = page.locator("video")
    page.wait_for_function("() => document.querySelector('video').readyState >= 1")
    assert "blur(28px)" in video.evaluate("video => getComputedStyle(video).filter")
    assert video.evaluate("video => video.paused && video.muted")
    look(page)
    page.get_by_label("Show without blur").check()
    assert "blur(0px)" in video.evaluate("video => getComputedStyle(video).filter")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => document.querySelector('video').currentTime > 0")
    page.get_by_role("link", name="Close the video").click()

    page.locator("#release_reason").fill("A scene of a film.")
    page.get_by_role("button", name="Release the video").click()
    expect(page.locator(".notice")).to_contain_text("released")
    pair.refresh_from_db()
    assert pair.held == ""
    look(page)


def token(page):
    page.goto("/accounts/password/")
    return page.locator('[name="csrfmiddlewaretoken"]').first.get_attribute("value")


def look(page):
    """Check that axe finds nothing, in both themes, and that nothing scrolls sideways."""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page).response["violations"]
        assert [(violation["id"], [node["html"][:100] for node in violation["nodes"]]) for violation in found] == []
    size = page.viewport_size
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    page.set_viewport_size(size)
