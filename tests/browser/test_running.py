"""A study is made, set up, run and closed in the browser, by keyboard. Its pages pass axe in all sizes and themes."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from accounts.tokens import create_token
from annotation.models import Assignment
from catalog.models import Video
from studies.invitations import offer
from studies.memberships import join
from studies.models import Membership, Study
from tests import factories

pytestmark = pytest.mark.long

SIZES = {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 420, "height": 800}}


def go_to(page, name, role="link", *, exact=True):
    """Press Tab until the control of this name has the focus. Fail if the whole page has been passed."""
    wanted = page.locator("main").get_by_role(role, name=name, exact=exact).first
    expect(wanted).to_be_visible()
    for _ in range(150):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return wanted
    raise AssertionError(f"the keyboard does not reach {name!r}")


def press(page, name, role="button"):
    go_to(page, name, role)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def fill(page, label, text):
    go_to(page, label, "textbox")
    page.keyboard.type(text)


def said(page, text):
    expect(page.locator(".notices")).to_contain_text(text)


def test_a_study_is_made_set_up_run_and_closed_by_keyboard(open_page):
    owner = factories.person(username="owner", is_superuser=True)
    page = open_page("/", owner)
    press(page, "New study", "link")
    fill(page, "Title", "Everyday scenes")
    fill(page, "Address", "everyday-scenes")
    press(page, "Create the study")
    said(page, "The study was created. It is paused")
    study = Study.objects.get(slug="everyday-scenes")

    go_to(page, "Ties", "checkbox")
    page.keyboard.press("Space")
    expect(page.locator("[data-makes-protocol]")).to_have_text("When you save, protocol version 2 begins.")
    press(page, "Save")
    said(page, "Protocol version 2 is now in force.")
    press(page, "Serving", "link")
    go_to(page, "Reservation time for the current pair", "spinbutton")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("45")
    press(page, "Save")
    study.refresh_from_db()
    assert (study.allow_ties, study.lease_s) == (True, 2700)
    expect(page.locator("main")).to_contain_text("30 minutes (owner)")

    press(page, "People", "link")
    fill(page, "Usernames", "kim")
    press(page, "Invite")
    password = page.locator(".secrets td").first.inner_text()
    press(page, "I have saved them. Continue", "link")
    expect(page.locator("main")).not_to_contain_text(password)

    factories.pairs(study, 2)
    press(page, "Settings", "link")
    expect(page.get_by_role("button", name="Resume")).to_be_disabled()
    press(page, "Protection › Contact for help", "link")
    fill(page, "Contact for help", "The study desk, extension 100")
    press(page, "Save")
    press(page, "Consent", "link")
    go_to(page, "Violence", "checkbox", exact=False)
    page.keyboard.press("Space")
    press(page, "Publish new consent version")
    press(page, "State", "link")
    press(page, "About › Pay", "link")
    fill(page, "Pay", "By the hour, breaks included")
    press(page, "Save")
    press(page, "State", "link")
    press(page, "Resume")
    said(page, "The study is running.")
    starts_to_annotate(open_page, password)

    press(page, "Pause")
    said(page, "The study is paused.")
    press(page, "Resume")
    press(page, "Close…", "link")
    expect(page.locator("main")).to_contain_text("can still finish and submit")
    press(page, "Close the study")
    said(page, "The study is closed.")
    study.refresh_from_db()
    assert study.state == "closed"
    assert Assignment.objects.filter(study=study, state="leased").count() == 2


def starts_to_annotate(open_page, password):
    """Let the invited person sign in with the one-time password, choose their own, agree and get a pair."""
    page = open_page("/accounts/sign-in/")
    page.locator("[name=username]").fill("kim")
    page.locator("[name=password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/accounts/password/"))
    page.locator("[name=old_password]").fill(password)
    for name in ("new_password1", "new_password2"):
        page.locator(f"[name={name}]").fill("a password of my own")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/consent/"))
    page.locator('[data-tick="all"]').click()
    page.locator("form:has([data-boxes]) > .actions .primary").click()
    page.wait_for_url(re.compile("/workspace/"))
    expect(page.locator("body[data-assignment]")).to_have_count(1)
    page.context.close()


@pytest.fixture
def running():
    """Make a study with people and batches, a study of somebody else, and a person who runs both."""
    study, empty = factories.study(), factories.study(state="paused")
    admin = factories.member(study, "admin")
    join(empty, admin, "admin")
    factories.member(study, "annotator")
    for number in (1, 2):
        factories.pairs(study, 2, batch=factories.batch(study, number=number), wanted=2)
    Video.objects.update(generator="model-x")
    return study, empty, admin


@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.long), "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_no_page_scrolls_sideways(open_page, running, size, scheme):
    study, empty, admin = running
    groups = ("protocol", "serving", "sampling", "protection", "about", "consent", "licences", "close")
    pages = ["", *(f"{group}/" for group in groups)]
    person = Membership.objects.get(study=study, role="annotator").person_id
    addresses = [f"/studies/{study.slug}/settings/{page}" for page in pages]
    addresses += [
        f"/studies/{study.slug}/{page}" for page in ("people/", "people/tokens/", f"people/{person}/", "batches/")
    ]
    addresses += [f"/studies/{study.slug}/batches/pairs/?what=overlap&value=1&which=all&sample=all"]
    addresses += [f"/studies/{study.slug}/batches/pairs/?what=overlap&value=0&which=all&sample=all&batch=9"]
    addresses += [f"/studies/{empty.slug}/{page}" for page in ("batches/", "settings/", "settings/licences/")]
    token = create_token(admin, scopes=["read"], name="nightly report").row
    offer(factories.study(), admin, "annotator", actor=None)
    offer(study, factories.person(), "annotator", actor=admin)
    addresses += ["/", "/accounts/tokens/", f"/accounts/tokens/{token.public_id}/revoke/", "/accounts/password/"]
    page = open_page("/studies/new/", admin, viewport=SIZES[size], color_scheme=scheme)
    for address in ["/studies/new/", *addresses]:
        page.goto(address)
        found = Axe().run(page).response["violations"]
        assert [(address, v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"], address


def test_secrets_that_are_shown_once_can_be_saved_as_a_file(open_page, running):
    study, _empty, admin = running
    page = open_page(f"/studies/{study.slug}/people/", admin)
    page.locator("#numbered_count").fill("2")
    page.get_by_role("button", name="Add them").click()
    rows = page.locator(".secrets tbody tr")
    expect(rows).to_have_count(2)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download as CSV").click()
    text = downloading.value.path().read_text("utf-8-sig")
    assert downloading.value.suggested_filename == f"{study.slug}-people.csv"
    assert text.splitlines()[0] == '"Name","One-time password","API token"'
    for cell in rows.first.locator("td").all_inner_texts():
        assert f'"{cell}"' in text
