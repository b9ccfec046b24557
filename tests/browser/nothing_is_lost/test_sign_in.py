"""Sessions end, other people sign in, or somebody signs out.

Answers arrive once, under the right name, or stay in the browser.
"""

import pytest
from playwright.sync_api import expect

from annotation.models import Annotation, Assignment
from tests import factories
from tests.browser.conftest import cookies_of
from tests.browser.nothing_is_lost.conftest import (
    STATUS,
    answer_and_submit,
    choose,
    end_session,
    expect_a_pair,
    kept,
    panel,
    sign_in_again,
    stored,
)


@pytest.mark.long
def test_an_expired_session_is_renewed_in_place_and_the_queue_goes_on(workspace, annotator):
    page = workspace()
    end_session()
    answered = answer_and_submit(page)
    expect(page.locator("body[data-assignment]")).to_be_visible()
    page.get_by_role("button", name="Sign in again").click()
    sign_in_again(page, annotator)
    [annotation] = stored(1)
    assert annotation.assignment_id == answered
    assert annotation.author_id == annotator.pk
    expect(page.get_by_role("dialog")).to_have_count(0)
    answer_and_submit(page)
    stored(2)


@pytest.mark.long
def test_a_wrong_password_says_so_and_a_lost_csrf_cookie_does_not_matter(workspace, annotator):
    page = workspace()
    end_session()
    page.context.clear_cookies()
    answer_and_submit(page)
    page.get_by_role("button", name="Sign in again").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Password").fill("not the password")
    dialog.get_by_role("button", name="Sign in", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("is wrong")
    sign_in_again(page, annotator)
    stored(1)


@pytest.mark.long
def test_nothing_is_sent_under_another_sign_in_and_all_of_it_when_its_person_is_back(
    workspace, study, annotator, server
):
    page = workspace()
    other = factories.member(study, "annotator")
    choose(page, "correctness", "right")
    expect(page.locator(STATUS)).to_contain_text("aved")
    page.context.add_cookies(cookies_of(other, server))
    answered = answer_and_submit(page)
    expect(panel(page, "somebody_else")).to_be_visible()
    expect(panel(page, "somebody_else")).to_contain_text(other.username)
    assert Annotation.objects.count() == 0
    assert not Assignment.objects.filter(person=other).exists()
    page.get_by_role("button", name=f"Sign in as {annotator.username}").click()
    sign_in_again(page, annotator)
    [annotation] = stored(1)
    assert (annotation.assignment_id, annotation.author_id) == (answered, annotator.pk)
    expect_a_pair(page)


@pytest.mark.long
def test_a_page_hears_at_once_that_somebody_else_signed_in_beside_it(workspace, study, annotator, server):
    page = workspace()
    other = factories.member(study, "annotator")
    page.context.add_cookies(cookies_of(other, server))
    page.context.new_page().goto("/accounts/password/")
    expect(panel(page, "somebody_else")).to_be_visible()
    expect(page.locator("video[data-active]").first).not_to_be_visible()


def sign_out(page):
    page.locator("[data-menu] > summary").click()
    page.locator('[data-action="sign-out"]').click()


@pytest.mark.long
def test_signing_out_sends_what_waits_and_leaves_nothing_behind(workspace, annotator):
    page = workspace()
    choose(page, "correctness", "right")
    sign_out(page)
    page.wait_for_url("**/sign-in/")
    assert kept(page, annotator, "drafts") == kept(page, annotator, "submissions") == []
    assert Assignment.objects.exclude(draft=None).get().draft["helpfulness"]["correctness"].startswith("video_")


@pytest.mark.long
@pytest.mark.parametrize("page_address", ["workspace", "password"])
def test_signing_out_with_something_unsent_warns_with_the_count(workspace, annotator, page_address):
    page = workspace()
    page.context.route("**/api/v1/**", lambda route: route.abort())
    answer_and_submit(page)
    if page_address == "password":
        page.goto("/accounts/password/")
    sign_out(page)
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-unsent]")).to_have_text("1")
    dialog.get_by_role("button", name="Send, then sign out").click()
    expect(dialog.get_by_role("alert")).to_be_visible(timeout=15_000)
    assert len(kept(page, annotator, "submissions")) == 1
    page.context.unroute("**/api/v1/**")
    dialog.get_by_role("button", name="Send, then sign out").click()
    page.wait_for_url("**/sign-in/")
    stored(1)
    assert kept(page, annotator, "submissions") == []


@pytest.mark.long
def test_signing_out_anyway_removes_what_was_not_sent(workspace, annotator):
    page = workspace()
    page.context.route("**/api/v1/**", lambda route: route.abort())
    answer_and_submit(page)
    sign_out(page)
    page.get_by_role("dialog").get_by_role("button", name="Sign out anyway").click()
    page.wait_for_url("**/sign-in/")
    assert kept(page, annotator, "drafts") == kept(page, annotator, "submissions") == []
    assert Annotation.objects.count() == 0


@pytest.mark.long
def test_signing_out_without_a_connection_removes_nothing(workspace, annotator):
    page = workspace()
    page.context.set_offline(True)
    answer_and_submit(page)
    sign_out(page)
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Sign out anyway").click()
    expect(dialog.get_by_role("alert")).to_contain_text("still signed in")
    dialog.get_by_role("button", name="Stay signed in").click()
    page.context.set_offline(False)
    stored(1)


@pytest.mark.long
def test_a_workspace_beside_it_stops_when_its_person_signs_out(workspace, annotator):
    page = workspace()
    beside = page.context.new_page()
    beside.goto("/accounts/password/")
    sign_out(beside)
    beside.wait_for_url("**/sign-in/")
    expect(panel(page, "signed_out")).to_be_visible()
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    sign_in_again(page, annotator)
    expect_a_pair(page)
