"""Consent is withdrawn while answers are on the page.

The answers stay in the browser, and are sent when consent is given again.
"""

import pytest
from playwright.sync_api import expect

from annotation.models import Annotation, Assignment
from consent import agreements
from studies.models import Study
from tests.browser.nothing_is_lost.conftest import (
    STATUS,
    SUBMIT,
    answer,
    choose,
    expect_a_pair,
    kept,
    panel,
    stored,
    submit,
)
from tests.web import wait_for


def agree(page):
    """Agree to everything on the consent page, which leads back to the pairs."""
    page.get_by_role("button", name="Tick all").click()
    page.get_by_role("button", name="I agree", exact=True).click()


@pytest.mark.long
def test_an_answer_after_withdrawing_stays_in_the_browser_and_is_sent_after_agreeing_again(workspace, study, annotator):
    page = workspace()
    answer(page)
    agreements.withdraw(annotator, study)  # in another tab, or on another machine
    answered = submit(page)
    expect(panel(page, "consent")).to_be_visible()
    expect(panel(page, "consent")).to_contain_text(
        "Answers and skips waiting to be sent: 1. "
        "Everything is saved in this browser and will be sent when you agree again."
    )
    assert not Annotation.objects.exists()
    assert [entry["assignment"] for entry in kept(page, annotator, "submissions")] == [answered]
    page.get_by_role("link", name="Read and decide").click()
    agree(page)
    [annotation] = stored(1)
    assert annotation.assignment_id == answered
    assert annotation.standing.counted
    expect_a_pair(page)
    wait_for(lambda: kept(page, annotator, "submissions") == [], "what was sent still waits")
    assert annotation.assignment_id != int(page.locator("body").get_attribute("data-assignment"))


@pytest.mark.long
def test_answers_that_wait_for_consent_outlive_the_page(workspace, study, annotator):
    page = workspace()
    answer(page)
    agreements.withdraw(annotator, study)
    submit(page)
    expect(panel(page, "consent")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have withdrawn your consent")
    assert len(kept(page, annotator, "submissions")) == 1
    agree(page)
    stored(1)


@pytest.mark.long
def test_where_something_else_comes_first_the_line_at_the_top_says_that_answers_wait_for_consent(
    workspace, study, annotator
):
    page = workspace()
    answer(page)
    agreements.withdraw(annotator, study)
    Study.objects.filter(pk=study.pk).update(state="paused")
    submit(page)
    expect(panel(page, "paused")).to_be_visible()
    expect(page.locator(STATUS)).to_contain_text(
        "Answers and skips waiting to be sent: 1. "
        "Everything is saved in this browser and will be sent when you agree again."
    )
    assert len(kept(page, annotator, "submissions")) == 1


@pytest.mark.long
def test_unfinished_answers_after_withdrawing_stay_and_are_there_after_agreeing_again(workspace, study, annotator):
    page = workspace()
    before = Assignment.objects.get(pk=int(page.locator("body").get_attribute("data-assignment")))
    agreements.withdraw(annotator, study)
    choose(page, "correctness", "right")
    expect(page.locator(STATUS)).to_contain_text("You have withdrawn your consent")
    expect(page.locator("#q-correctness-right")).to_be_checked()
    assert [record["assignment"] for record in kept(page, annotator, "drafts")] == [before.pk]
    before.refresh_from_db()
    assert before.draft is None
    page.goto(f"/studies/{study.slug}/consent/")
    agree(page)
    expect_a_pair(page)
    expect(page.locator(f'body[data-assignment="{before.pk}"]')).to_be_visible()
    expect(page.locator("#q-correctness-right")).to_be_checked()


@pytest.mark.long
def test_signing_out_does_not_drop_what_waits_for_consent(workspace, study, annotator):
    page = workspace()
    answer(page)
    agreements.withdraw(annotator, study)
    submit(page)
    expect(panel(page, "consent")).to_be_visible()
    page.locator("[data-menu] > summary").click()
    page.locator('[data-action="sign-out"]').click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert len(kept(page, annotator, "submissions")) == 1


@pytest.mark.long
def test_a_change_that_a_closed_study_refuses_stays_on_the_page(workspace, study, annotator):
    page = workspace()
    answer(page)
    answered = submit(page)
    stored(1)
    page.goto(f"/studies/{study.slug}/workspace/?reopen={answered}")
    expect(page.locator("[data-revising]")).to_be_visible()
    page.locator('[data-tab="helpfulness"]').click()
    choose(page, "correctness", "right")
    Study.objects.filter(pk=study.pk).update(state="closed")
    page.locator(SUBMIT).click()
    expect(page.locator(STATUS)).to_contain_text("The study is closed")
    expect(page.locator("#q-correctness-right")).to_be_checked()
    assert Annotation.objects.count() == 1
    page.get_by_role("button", name="Leave it unchanged").click()
    expect_a_pair(page)  # the one that was in hand before: it can still be finished
    assert int(page.locator("body").get_attribute("data-assignment")) != answered


@pytest.mark.long
def test_an_answer_that_comes_after_the_study_was_closed_says_that_it_is_not_counted(workspace, study):
    page = workspace()
    answer(page)
    assignment = Assignment.objects.get(pk=int(page.locator("body").get_attribute("data-assignment")))
    Assignment.objects.filter(pk=assignment.pk).update(expires_at=assignment.leased_at.replace(microsecond=999_999))
    Study.objects.filter(pk=study.pk).update(state="closed")
    submit(page)
    [annotation] = stored(1)
    assert (annotation.standing.counted, annotation.standing.uncounted_reason) == (False, "surplus_study_closed")
    expect(page.locator(STATUS)).to_contain_text("kept but does not count")
