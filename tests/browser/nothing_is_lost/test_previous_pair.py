"""Going back to the pair that was just submitted, and then to the one that was on the page.

Nothing of either is lost.
"""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation.models import Annotation, Assignment
from catalog.models import Batch
from tests.browser.nothing_is_lost.conftest import (
    STATUS,
    SUBMIT,
    answer,
    answer_and_submit,
    choose,
    expect_a_pair,
    kept,
    panel,
    shown,
    stored,
    submit,
)
from tests.browser.working import video_on
from tests.web import wait_for

PREVIOUS = "Shift+Backspace"
STRIP, WORDS = "[data-revising]", "[data-revising-words]"
LEAVE = '[data-action="keep-answers"]'


def is_back_on(page, assignment):
    """Wait for the submitted pair."""
    expect(page.locator(f'body[data-assignment="{assignment}"]')).to_be_visible()
    expect(page.locator(STRIP)).to_be_visible()


def on_the_page(page, assignment):
    """Wait for the pair that has not been submitted."""
    expect(page.locator(f'body[data-assignment="{assignment}"]')).to_be_visible()
    expect(page.locator(STRIP)).to_be_hidden()


def revision_2():
    return wait_for(Annotation.objects.filter(revision=2).first, "the change was not stored")


@pytest.mark.long
def test_a_key_goes_back_and_takes_answers_at_once_and_the_pair_on_the_page_is_kept(workspace):
    page = workspace()
    first = answer_and_submit(page)
    stored(1)
    expect_a_pair(page)
    second = shown(page)
    choose(page, "correctness", "right")
    page.keyboard.press(PREVIOUS)
    is_back_on(page, first)
    expect(page.locator("[data-pair-number]")).to_have_text("pair 1")
    expect(page.locator(LEAVE)).to_contain_text("back to pair 2")
    expect(page.locator("[data-why-not]")).to_have_text("Ready to save (Ctrl + Enter)")  # before anything is changed
    page.locator('[data-tab="helpfulness"]').click()
    page.locator("fieldset:has(#q-instruction_following-left)").press("j")
    expect(page.locator("#q-instruction_following-right")).to_be_checked()
    page.keyboard.press(PREVIOUS)  # there is an unsaved change
    expect(page.locator(STATUS)).to_contain_text("Save this answer first")
    page.keyboard.press("Control+Enter")
    on_the_page(page, second)
    expect(page.locator("#q-correctness-right")).to_be_checked()
    revision = revision_2()
    assert (revision.assignment_id, revision.reason) == (first, "reopened")
    assert revision.instruction_following == video_on(revision.assignment, "right")
    assert Assignment.objects.get(pk=second).state == "leased"
    page.locator('.foot [data-action="previous-pair"]').click()
    is_back_on(page, first)
    page.keyboard.press(PREVIOUS)  # nothing was submitted before it
    expect(page.locator(STATUS)).to_contain_text("no previous pair")
    choose(page, "correctness", "right")
    page.locator(LEAVE).click()
    on_the_page(page, second)
    expect(page.locator(STATUS)).not_to_contain_text("no previous pair")  # that was about the other pair
    expect(page.locator("#q-correctness-right")).to_be_checked()
    page.reload()
    expect_a_pair(page)
    page.keyboard.press(PREVIOUS)  # the page now knows it from the server
    is_back_on(page, first)
    page.keyboard.press("Control+Enter")  # nothing has changed
    on_the_page(page, second)
    assert Annotation.objects.count() == 2


@pytest.mark.long
def test_a_reopened_answer_takes_the_next_key(workspace):
    page = workspace()
    answer_and_submit(page)
    stored(1)
    expect_a_pair(page)
    page.keyboard.press(PREVIOUS)
    expect(page.locator(STRIP)).to_be_visible()
    page.keyboard.press("j")  # to the question that comes first for this person
    expect(page.locator('[data-panel="helpfulness"] input[value="right"]:checked')).to_have_count(1)


@pytest.mark.long
def test_without_a_network_the_pairs_are_there_and_a_change_follows_its_answer(workspace, annotator):
    page = workspace()
    page.context.set_offline(True)
    first = answer_and_submit(page)
    second = answer_and_submit(page)
    expect(panel(page, "offline")).to_be_visible()
    page.locator('[data-empty] [data-action="previous-pair"]').click()
    is_back_on(page, second)
    page.keyboard.press(PREVIOUS)
    is_back_on(page, first)
    page.locator('[data-tab="helpfulness"]').click()
    choose(page, "correctness", "right")
    page.locator(SUBMIT).click()
    expect(panel(page, "offline")).to_be_visible()
    waiting = [(entry["verb"], entry["assignment"]) for entry in kept(page, annotator, "submissions")]
    assert waiting == [("submit", first), ("submit", second), ("revise", first)]
    page.keyboard.press(PREVIOUS)
    page.keyboard.press(PREVIOUS)
    is_back_on(page, first)
    expect(page.locator("#q-correctness-right")).to_be_checked()  # as changed
    page.locator(LEAVE).click()
    page.context.set_offline(False)
    expect_a_pair(page)
    revision = revision_2()
    assert (revision.assignment_id, revision.correctness) == (first, video_on(revision.assignment, "right"))
    assert Annotation.objects.count() == 3
    wait_for(lambda: kept(page, annotator, "submissions") == [], "something is still waiting")


@pytest.mark.long
def test_a_skip_that_is_sent_late_is_not_said_of_the_answer_on_the_page(workspace, annotator):
    page = workspace()
    page.context.set_offline(True)
    first = answer_and_submit(page)
    page.keyboard.press("s")
    page.get_by_role("radio", name="Cannot judge").check()
    page.get_by_role("button", name="Skip pair").click()
    expect(panel(page, "offline")).to_be_visible()
    expect(page.locator(STATUS)).not_to_contain_text("hidden")  # there are no videos to show again
    page.keyboard.press(PREVIOUS)
    is_back_on(page, first)
    page.context.set_offline(False)
    wait_for(lambda: kept(page, annotator, "submissions") == [], "something is still waiting")
    is_back_on(page, first)
    expect(page.locator(STATUS)).not_to_contain_text("Skipped")


@pytest.mark.long
def test_it_works_while_the_answer_is_on_its_way(workspace):
    page = workspace()
    held = []
    page.route("**/submit/", lambda route: held.append(route))
    answer(page)
    with page.expect_request("**/submit/"):
        first = submit(page)
    second = shown(page)
    page.keyboard.press(PREVIOUS)
    is_back_on(page, first)
    page.locator('[data-tab="helpfulness"]').click()
    choose(page, "correctness", "right")
    page.locator(SUBMIT).click()
    on_the_page(page, second)
    assert Annotation.objects.count() == 0
    held[0].continue_()
    assert revision_2().assignment_id == first
    expect(page.locator(STATUS)).to_contain_text("Your changed answer replaces the earlier one")
    assert shown(page) == second


@pytest.mark.long
def test_pairs_that_are_offered_meanwhile_do_not_take_it_off_the_page(workspace):
    page = workspace()
    first = answer_and_submit(page)
    stored(1)
    expect_a_pair(page)
    second = shown(page)
    held = []
    page.route("**/studies/*/assignments/", lambda route: held.append(route))
    with page.expect_request("**/studies/*/assignments/"):
        page.locator('[data-action="ask-again"]').first.dispatch_event("click")
    page.keyboard.press(PREVIOUS)
    is_back_on(page, first)
    with page.expect_response("**/studies/*/assignments/"):
        held[0].continue_()
    is_back_on(page, first)
    page.unroute("**/studies/*/assignments/")
    page.locator(LEAVE).click()
    on_the_page(page, second)


@pytest.mark.long
@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (
            lambda: Assignment.objects.filter(state="submitted").update(ended_at=timezone.now() - timedelta(days=9)),
            "has passed",
        ),
        (lambda: Batch.objects.update(state="in_review"), "being checked"),
    ],
    ids=["the time is over", "the batch is in review"],
)
def test_where_it_is_refused_the_reason_is_said_and_the_pair_stays(workspace, happens, said):
    page = workspace()
    answer_and_submit(page)
    stored(1)
    second = shown(page)
    choose(page, "correctness", "right")
    happens()
    page.keyboard.press(PREVIOUS)
    expect(page.locator(STATUS)).to_contain_text(said)
    on_the_page(page, second)
    expect(page.locator("#q-correctness-right")).to_be_checked()
