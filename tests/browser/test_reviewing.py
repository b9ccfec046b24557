"""A reviewer's path by keyboard: answer blind, compare, call a defect, and confirm it as somebody else."""

import re

import pytest
from playwright.sync_api import expect

from annotation.models import Standing
from catalog.models import Pair
from consent import agreements
from qc import verdicts
from qc.models import Reply, Review, ReviewAnswer, Verdict
from tests import factories
from tests.browser.working import answer_by_mouse, current, gate_is_open, is_ready, submit_and_wait
from tests.web import wait_for


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first")


def answer_by_keyboard(page, helpfulness="fffff"):
    """Answer everything by key: helpfulness, one tag of the left video, none of the right, and the right one safer."""
    for key in helpfulness:
        page.keyboard.press(key)
    page.keyboard.press("1")
    page.keyboard.press("]")
    page.keyboard.press("Space")
    for side in ("left", "right"):
        gate_is_open(page, side)
    page.keyboard.press("Space")
    page.keyboard.press("n")
    page.keyboard.press("j")


def test_a_defect_is_found_confirmed_and_replied_to(open_page, study, playable_pairs):
    playable_pairs(study, 2)
    a_defect_is_found_confirmed_and_replied_to(open_page, study)


@pytest.mark.long
def test_the_whole_way_of_a_defect_until_somebody_else_has_answered(open_page, study, playable_pairs):
    playable_pairs(study, 2)
    verdict = a_defect_is_found_confirmed_and_replied_to(open_page, study)
    somebody_else_is_asked_after_the_return(open_page, study, verdict)


def a_defect_is_found_confirmed_and_replied_to(open_page, study):
    """Find a defect blind, confirm it, reply to it and close it. Return its verdict."""
    annotator = factories.member(study, "annotator")
    lot = factories.lot_in_review(study, 2, people=[annotator], has_pairs=True, drawn=True)
    checker, confirmer = factories.reviewer(study, "researcher"), factories.reviewer(study)
    adjudicator = factories.reviewer(study, "admin")

    page = is_ready(open_page(f"/studies/{study.slug}/reviews/{lot.number}/spot/", checker))
    rows = page.locator("fieldset[data-judge]")
    expect(rows).to_have_count(0)  # blind: nothing of the answer is on the page
    shown = Review.objects.get(shown_at__isnull=False)  # the next one is only reserved
    left_is_theirs = shown.left == "video_0"  # the annotator found video 0 more helpful
    answer_by_keyboard(page, "jjjjj" if left_is_theirs else "fffff")
    page.keyboard.press("Control+Enter")
    expect(rows).to_have_count(8)
    assert ReviewAnswer.objects.count() == 1
    differing = page.locator("fieldset[data-differs]")
    expect(differing.first.locator("[data-mark]")).to_have_text("≠ differs")
    page.keyboard.press("Control+Enter")  # too early: every differing row needs a verdict
    expect(page.locator("[data-status]")).to_contain_text("Not submitted yet")
    for place in range(differing.count()):
        row = differing.nth(place)
        expect(row).to_have_attribute("data-current", "")
        if "More helpful" not in (row.text_content() or ""):
            page.keyboard.press("1")
            continue
        page.keyboard.press("2")  # a defect, and then its reason
        page.keyboard.press("2")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowDown")
    for _ in range(8):
        page.keyboard.press("ArrowUp")
    while "More helpful" not in (page.locator("fieldset[data-judge][data-current]").text_content() or ""):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("c")
    page.keyboard.type("Look at the end.")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-status]")).to_contain_text("Review saved")
    verdict = Verdict.objects.get(ruling="defect")
    assert (verdict.row, verdict.code, verdict.comment) == ("helpfulness", "overlooked", "Look at the end.")

    page = is_ready(open_page(f"/studies/{study.slug}/reviews/{lot.number}/confirm/", confirmer))
    expect(page.locator("fieldset[data-judge]")).to_have_count(1)
    expect(page.locator("[data-given]")).not_to_contain_text("Annotator")
    page.keyboard.press("1" if verdicts.annotator_comes_first(verdict, confirmer.pk) else "2")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-when="nothing_due"]')).to_be_visible()
    assert Standing.objects.get(pk=verdict.item.assignment_id).uncounted_reason == "rejected"
    assert Pair.objects.get(pk=verdict.review.pair_id).open_slots == 1

    page = open_page(f"/studies/{study.slug}/my-work/", annotator)
    expect(page.get_by_text("Look at the end.")).to_be_visible()
    expect(page.locator(".feedback li")).to_contain_text("On “")  # the question's name is not a sentence of the review
    page.get_by_label("You may reply once:").fill("I did, twice.")
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_text("Your reply is being looked at.")).to_be_visible()

    page = is_ready(open_page(f"/studies/{study.slug}/reviews/{lot.number}/adjudicate/", adjudicator))
    expect(page.locator("[data-reply-text]")).to_have_text("I did, twice.")
    page.keyboard.press("1")
    page.get_by_label("Your response, which the annotator reads").fill("The left video falls apart at the end.")
    page.keyboard.press("Control+Enter")
    expect(page.locator('[data-when="nothing_due"]')).to_be_visible()
    assert Reply.objects.get().closing == "The left video falls apart at the end."
    page = open_page(f"/studies/{study.slug}/my-work/", annotator)
    expect(page.get_by_text("The left video falls apart at the end.")).to_be_visible()
    return verdict


def somebody_else_is_asked_after_the_return(open_page, study, verdict):
    """Return the lot for its defect, and let another person answer the pair. The library says why they were asked."""
    head = factories.member(study, "researcher")
    page = open_page(f"/studies/{study.slug}/lots/{verdict.item.lot.number}/decide/", head)
    page.locator('label:has(input[name="outcome"][value="returned"])').click()
    page.locator('label:has(input[name="ask_again"][value="defects"])').click()
    page.get_by_label("Reason", exact=False).first.fill("One answer overlooks the end.")
    page.get_by_role("button", name="Decide").click()
    expect(page.locator(".page-head .chip", has_text="returned")).to_be_visible()

    other = factories.member(study, "annotator")
    page = is_ready(open_page(f"/studies/{study.slug}/workspace/", other))
    asked = current(page)
    assert (asked.pair_id, asked.asked_because, asked.round) == (verdict.review.pair_id, "replacement", 0)
    assert "asked_because" not in page.content()
    answer_by_mouse(page)
    submit_and_wait(page)
    replacement = wait_for(lambda: Standing.objects.filter(assignment=asked).first(), "nothing was stored")
    assert replacement.counted
    assert Pair.objects.get(pk=asked.pair_id).open_slots == 0
    page = open_page(f"/studies/{study.slug}/library/pairs/{asked.pair.public_id}/", head)
    expect(page.get_by_text("asked as a replacement")).to_be_visible()
    expect(page.get_by_text("Review rejected it.")).to_be_visible()


@pytest.mark.long
def test_the_list_of_reviews_shows_what_waits(open_page, study, playable_pairs):
    playable_pairs(study, 1)
    page = open_page(f"/studies/{study.slug}/reviews/", factories.reviewer(study))
    expect(page.get_by_text("No lot is in review")).to_be_visible()
    lot = factories.lot_in_review(study, 1, has_pairs=True)
    page.reload()
    page.get_by_role("link", name="1 answer waits").first.click()
    expect(page).to_have_url(re.compile(f"/reviews/{lot.number}/secondary/"))
    expect(is_ready(page).locator("fieldset[data-judge]")).to_have_count(8)


@pytest.mark.long
def test_a_reviewer_is_shown_only_what_they_agreed_to_see(open_page, study, playable_pairs):
    playable_pairs(study, 1, may_show=["violence"])
    lot = factories.lot_in_review(study, 1, has_pairs=True)
    careful = factories.reviewer(study)
    agreements.agree(careful, study, categories=["crime"], text="Only this.")
    page = open_page(f"/studies/{study.slug}/reviews/{lot.number}/secondary/", careful)
    expect(page.locator('[data-when="excluded"]')).to_be_visible()
    expect(page.locator("video[src]")).to_have_count(0)
    newcomer = factories.member(study, "reviewer")
    page = open_page(f"/studies/{study.slug}/reviews/{lot.number}/secondary/", newcomer)
    expect(page).to_have_url(re.compile("/consent/"))
