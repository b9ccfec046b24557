"""The whole way of a batch in a browser.

It fills and rules check it. Its lot is reviewed, spot-checked and returned. What was rejected comes back to people. In
the second attempt everything is reviewed, and the lot is accepted.
"""

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from annotation.models import Annotation, Standing
from catalog.models import Batch, Pair
from findings.models import Finding
from findings.tasks import check_new_answers
from qc import verdicts
from qc.models import Lot, Review, Verdict
from tests import factories
from tests.browser.reviewing_steps import NOTHING_LEFT, answer_blind, judge, review_all, submit_verdicts
from tests.browser.working import (
    HARMLESSNESS,
    QUESTIONS,
    answer_by_mouse,
    choose,
    is_ready,
    see_through,
    submit_and_wait,
)

pytestmark = pytest.mark.long


def answer_one_sided(page: Page) -> None:
    """Prefer the left video in every question and the right one overall, which a rule notices."""
    for question in QUESTIONS:
        choose(page, question, "left")
    choose(page, "helpfulness", "right")
    page.locator(HARMLESSNESS).click()
    see_through(page)
    for side in ("left", "right"):
        page.locator(f"label:has(#none-{side})").click()
    choose(page, "harmlessness", "left")


def annotators_side(reviewer: User) -> str:
    """Return on which side the reviewer sees the video that the annotator of their current pair found more helpful."""
    review = Review.objects.get(reviewer=reviewer, state="leased", shown_at__isnull=False)
    return "left" if review.item.first.helpfulness == review.left else "right"


class Way:
    """A study with one batch of two pairs, and a browser for each person."""

    def __init__(self, open_page, playable_pairs) -> None:
        self.study = factories.study(dimension_order="helpfulness_first", secondary_share=1, blind_share=0)
        playable_pairs(self.study, 2)
        self.open_page = open_page
        self.annotator, self.other, self.last = (factories.member(self.study, "annotator") for _ in range(3))
        self.reviewer, self.confirmer = factories.reviewer(self.study), factories.reviewer(self.study)
        self.checker = factories.reviewer(self.study, "researcher")
        self.head = self.open_page(self.address(""), factories.member(self.study, "researcher"))

    def address(self, path: str) -> str:
        return f"/studies/{self.study.slug}/{path}"

    def page(self, path: str, person) -> Page:
        return self.open_page(self.address(path), person)

    def make_lot(self) -> Lot:
        """Put batch 1 into a lot and start its review, as a head of quality control does."""
        self.head.goto(self.address("lots/new/"))
        self.head.get_by_label("1", exact=True).check()
        self.head.get_by_role("button", name="Create the lot").click()
        self.head.get_by_role("button", name="Start the review").click()
        expect(self.head.get_by_role("heading", name="Secondary review")).to_be_visible()
        return Lot.objects.latest("pk")

    def review(self, lot: Lot, kind: str, person) -> Page:
        return self.page(f"reviews/{lot.number}/{kind}/", person)

    def draw(self, lot: Lot) -> None:
        self.head.goto(self.address(f"lots/{lot.number}/"))
        self.head.get_by_role("button", name="Draw the spot check").click()
        expect(self.head.get_by_role("heading", name="Spot check", exact=True)).to_be_visible()

    def decide(self, lot: Lot, outcome: str, words: str, ask_again: str = "") -> None:
        self.head.goto(self.address(f"lots/{lot.number}/decide/"))
        expect(self.head.get_by_text(words)).to_be_visible()
        self.head.locator(f'input[name="outcome"][value="{outcome}"]').check()
        if ask_again:
            self.head.locator(f'input[name="ask_again"][value="{ask_again}"]').check()
        self.head.get_by_label("Reason").fill("As the plan says.")
        self.head.get_by_role("button", name="Decide", exact=True).click()
        expect(self.head.locator(".page-head .chip").get_by_text(outcome, exact=True)).to_be_visible()


def test_a_lot_is_returned_mended_and_accepted(open_page, playable_pairs, db):
    way = Way(open_page, playable_pairs)

    # The batch fills, and rules check it.
    page = is_ready(way.page("workspace/", way.annotator))
    answer_by_mouse(page)
    submit_and_wait(page)
    answer_one_sided(is_ready(page))
    submit_and_wait(page)
    expect(page.locator('[data-when="finished"]')).to_be_visible()
    check_new_answers()
    assert list(Finding.objects.values_list("rule", flat=True)) == ["overall_against_parts"]
    way.head.goto(way.address("findings/"))
    expect(way.head.get_by_text("All four questions prefer video")).to_be_visible()
    page.context.close()

    # The first attempt: secondary review, spot check, a defect, and a second person who confirms it.
    lot = way.make_lot()
    page = way.review(lot, "secondary", way.reviewer)
    assert review_all(page) == 2
    page.context.close()
    way.draw(lot)
    page = is_ready(way.review(lot, "spot", way.checker))
    answer_blind(page, more_helpful=annotators_side(way.checker))
    judge(page)
    is_ready(page)
    rejected = Review.objects.get(reviewer=way.checker, state="leased", shown_at__isnull=False)
    answer_blind(page, more_helpful="right" if annotators_side(way.checker) == "left" else "left")
    judge(page, defect_on="More helpful")
    expect(page.locator(NOTHING_LEFT)).to_be_visible()
    page.context.close()
    verdict = Verdict.objects.filter(ruling="defect").get()
    page = is_ready(way.review(lot, "confirm", way.confirmer))
    says = "first" if verdicts.annotator_comes_first(verdict, way.confirmer.pk) else "second"
    page.locator(f'fieldset[data-judge] input[value="{says}"]').check()
    submit_verdicts(page)
    expect(page.locator(NOTHING_LEFT)).to_be_visible()
    page.context.close()
    assert Standing.objects.get(pk=rejected.item.assignment_id).uncounted_reason == "rejected"

    # The lot is returned. What was rejected is asked of somebody else, and never of its annotator.
    way.decide(lot, "returned", "The plan returns the lot.", ask_again="defects")
    page = way.page("workspace/", way.annotator)
    expect(page.locator("[data-empty]")).to_be_visible()
    expect(page.locator("body[data-assignment]")).to_have_count(0)
    page.context.close()
    page = is_ready(way.page("workspace/", way.other))
    answer_by_mouse(page)
    submit_and_wait(page)
    page.context.close()
    assert Annotation.objects.filter(assignment__person=way.other).get().assignment.pair_id == rejected.pair_id

    # The second attempt: all of it is reviewed, whatever the study's share is.
    way.study.secondary_share = 0
    way.study.save(update_fields=["secondary_share"])
    second = way.make_lot()
    assert (second.attempt, second.previous, second.secondary_share) == (2, lot, 1)
    page = way.review(second, "secondary", way.reviewer)
    assert review_all(page) == 2
    page.context.close()
    way.draw(second)
    page = way.review(second, "spot", way.checker)
    assert review_all(page, blind=True) == 2
    page.context.close()
    way.decide(second, "accepted", "The plan accepts the lot.")
    assert Batch.objects.get().state == "accepted"

    # Nobody can answer its pairs any more.
    assert not Pair.objects.filter(open_slots__gt=0).exists()
    page = way.page("workspace/", way.last)
    expect(page.locator("[data-empty]")).to_be_visible()
    expect(page.locator("body[data-assignment]")).to_have_count(0)
