"""Consent, preferences, wellbeing and exposure in a real browser: by keyboard, in both languages, and accessible."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Consent
from annotation.models import Exposure
from consent import agreements
from consent.exposure_groups import latest_monday_over
from studies.models import Study
from studies.terms import change_terms
from tests import factories

NARROW = {"width": 420, "height": 800}


@pytest.fixture
def newcomer(study):
    person = factories.person()
    person.memberships.create(study=study, role="annotator")
    return person


def workspace(study):
    return f"/studies/{study.slug}/workspace/"


def consent_page(study):
    return f"/studies/{study.slug}/consent/"


@pytest.fixture
def world(study, newcomer):
    """Return every page of this family with the person who may see it, in each of its states."""
    Study.objects.filter(pk=study.pk).update(help_contact="Care line, weekdays 9 to 17: care@example.org")
    study.refresh_from_db()
    people = [factories.member(study, "annotator") for _ in range(7)]
    monday = latest_monday_over(timezone.now())
    for number, person in enumerate(people):
        for back in range(3):
            day = timezone.localdate() - timedelta(days=back * number)
            exposed(study, person, day, 40.0 * number)
        exposed(study, person, monday, 300.0)
    agreements.withdraw(people[0], study)
    agreements.agree(people[1], study, categories=["crime"], text="I agree.")
    contact = factories.member(study, "wellbeing_contact")
    moved = factories.study(help_contact="")
    asked_again = factories.member(moved, "annotator")
    change_terms(moved, categories=["crime", "hate"], texts={"en": "## Pay {#pay}\n\nNothing is paid for.\n"})
    return {
        "first": (consent_page(study), newcomer),
        "given": (consent_page(study), people[1]),
        "withdrawn": (consent_page(study), people[0]),
        "changed": (consent_page(moved), asked_again),
        "preferences": ("/accounts/viewing/", people[1]),
        "wellbeing": (f"/studies/{study.slug}/wellbeing/", contact),
        "wellbeing of one": (f"/studies/{study.slug}/wellbeing/{people[1].pk}/", contact),
        "exposure": (f"/studies/{study.slug}/exposure/", factories.member(study, "researcher")),
    }


def exposed(study, person, day, seconds):
    assignment = factories.assignment(study, person, factories.pair(study, may_show=["violence"]))
    Exposure.objects.create(assignment=assignment, study=study, person=person, day=day, revealed_s=seconds, hidden=1)


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(open_page, world, scheme):
    for name, (address, person) in world.items():
        for options in ({}, {"viewport": NARROW}):
            page = open_page(address, person, color_scheme=scheme, **options)
            page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true; })")
            found = Axe().run(page).response["violations"]
            assert [(name, v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found] == []
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= page.viewport_size["width"], name
            page.context.close()


def test_a_newcomer_agrees_by_keyboard_and_is_at_the_first_pair(open_page, playable_pairs, study, newcomer):
    playable_pairs(study, 2)
    page = open_page(workspace(study), newcomer)
    expect(page).to_have_url(f"{page.url.split('/studies')[0]}{consent_page(study)}")
    box = page.get_by_role("checkbox", name="Crime", exact=True)
    expect(box).not_to_be_checked()
    expect(box).to_have_accessible_description(re.compile("^A crime that is shown, promoted or made to look good"))
    box.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="I agree", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("video[data-active]")).to_have_count(2)
    assert Consent.objects.get(user=newcomer).categories == ["crime"]
    page.wait_for_load_state("networkidle")


@pytest.mark.long
def test_all_none_and_as_before_tick_the_boxes(open_page, study):
    person = factories.member(study, "annotator")
    agreements.agree(person, study, categories=["crime", "hate"], text="I agree.")
    change_terms(study, categories=["crime", "violence"])
    page = open_page(consent_page(study), person)
    boxes = page.get_by_role("checkbox")
    expect(boxes.and_(page.locator(":checked"))).to_have_count(0)
    for button, count in (("Tick all", 2), ("Tick none", 0), ("Tick my earlier choices", 1)):
        page.get_by_role("button", name=button).click()
        assert page.locator("input[type=checkbox]:checked").count() == count, button


@pytest.mark.long
def test_agreed_content_is_changed_and_consent_is_withdrawn_from_the_workspace(open_page, playable_pairs, study):
    Study.objects.update(help_contact="")
    playable_pairs(study, 2)
    person = factories.member(study, "annotator")
    page = open_page(workspace(study), person)
    expect(page.locator("video[data-active]")).to_have_count(2)
    page.locator("[data-bench]").get_by_role("button", name="Talk to someone").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("has no contact yet")
    expect(page.locator("video[data-active]").first).to_be_hidden()
    assert Axe().run(page).response["violations"] == []
    dialog.get_by_role("link", name="Content I agree to see").click()
    page.get_by_role("checkbox", name="Violence").uncheck()
    page.get_by_role("button", name="Save my choice").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.get_by_role("checkbox", name="Violence")).not_to_be_checked()
    page.get_by_text("Withdraw consent…").click()
    expect(page.get_by_role("button", name="Withdraw consent")).to_be_in_viewport()
    page.get_by_role("button", name="Withdraw consent").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have withdrawn your consent")
    page.goto(workspace(study))
    expect(page.get_by_role("button", name="I agree", exact=True)).to_be_visible()


@pytest.mark.long
def test_the_contact_is_one_press_away_with_and_without_a_pair(open_page, playable_pairs, study):
    Study.objects.update(help_contact="Care line: care@example.org")
    person = factories.member(study, "annotator")
    page = open_page(workspace(study), person)
    expect(page.locator('[data-when="nothing_yet"]')).to_be_visible()
    page.locator("[data-empty]").get_by_role("button", name="Talk to someone").click()
    expect(page.get_by_role("dialog").get_by_role("link", name="care@example.org")).to_be_visible()
    page.keyboard.press("Escape")
    playable_pairs(study, 1)
    page.reload()
    expect(page.locator("video[data-active]")).to_have_count(2)
    page.locator("[data-bench]").get_by_role("button", name="Talk to someone").click()
    expect(page.get_by_role("dialog")).to_contain_text("Care line")


@pytest.mark.long
def test_the_time_zone_of_the_browser_is_proposed_and_saved_only_when_asked(open_page):
    person = factories.person()
    page = open_page("/accounts/viewing/", person, timezone_id="Asia/Shanghai")
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Shanghai")
    person.refresh_from_db()
    assert person.time_zone == ""
    page.get_by_role("radio", name="in greyscale until revealed").check()
    page.get_by_role("button", name="Save preferences").click()
    expect(page.get_by_role("status")).to_contain_text("saved")
    person.refresh_from_db()
    assert (person.time_zone, person.viewing_preference.media_filter) == ("Asia/Shanghai", "greyscale")


@pytest.mark.long
def test_a_saved_zone_is_kept_where_the_browser_says_another(open_page):
    page = open_page("/accounts/viewing/", factories.person(time_zone="Europe/Berlin"), timezone_id="Asia/Shanghai")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")
    page.get_by_role("button", name="Use this time zone").click()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Shanghai")
    expect(page.get_by_role("button", name="Use this time zone")).to_have_count(0)


@pytest.mark.long
def test_the_time_zone_of_the_browser_is_stored_at_the_first_sign_in_and_all_times_are_in_it(
    open_page, study, annotator, playable_pairs
):
    playable_pairs(study, 1)
    page = open_page("/accounts/sign-in/", timezone_id="Pacific/Auckland")
    page.get_by_label("Username").fill(annotator.username)
    page.get_by_label("Password").fill("a wrong one")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()  # the form has changed meanwhile
    page.get_by_label("Password").fill("a password of its own")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("body[data-workspace]")).to_be_visible()
    annotator.refresh_from_db()
    assert annotator.time_zone == "Pacific/Auckland"
    elsewhere = open_page(f"/studies/{study.slug}/workspace/", annotator, timezone_id="America/New_York")
    expect(elsewhere.locator("video[data-active]")).to_have_count(2)
    before = timezone.localtime(timezone=ZoneInfo("Pacific/Auckland"))
    elsewhere.locator('[data-tab="helpfulness"]').click()
    elsewhere.locator("label:has(input[type=radio]:enabled)").locator("visible=true").first.click()
    expect(elsewhere.locator("[data-status]")).to_contain_text("Saved")
    said = elsewhere.locator("[data-status]").inner_text()
    after = timezone.localtime(timezone=ZoneInfo("Pacific/Auckland"))
    assert any(moment.strftime("%H:%M") in said for moment in (before, after)), said
