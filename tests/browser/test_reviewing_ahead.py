"""The next pair of a review: loaded in advance, unseen, given back, and never that of another reviewer."""

import pytest
from playwright.sync_api import expect

from qc.models import Review, ReviewAnswer, SecondBlind
from tests import factories
from tests.browser.reviewing_steps import JUDGED, NOTHING_LEFT, judge, submit_verdicts
from tests.browser.working import answer_by_mouse, is_ready
from tests.web import wait_for

pytestmark = pytest.mark.long

#: Whether both videos of the pair after the current one are loaded.
AHEAD_IS_LOADED = """() => { const videos = [...document.querySelectorAll('video:not([data-active])')];
                            return videos.length === 2 && videos.every(video => video.readyState >= 2) }"""


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first")


def test_the_next_pair_is_loaded_unseen_while_the_first_is_judged(open_page, study, playable_pairs):
    playable_pairs(study, 3, may_show=["violence"])
    lot = factories.lot_in_review(study, 3, has_pairs=True)
    reviewer = factories.reviewer(study)
    page = is_ready(open_page(f"/studies/{study.slug}/reviews/{lot.number}/secondary/", reviewer))
    page.wait_for_function(AHEAD_IS_LOADED)
    hidden = page.locator("video:not([data-active])")
    for video in hidden.all():
        expect(video).to_have_attribute("aria-hidden", "true")
        assert video.evaluate(
            "video => getComputedStyle(video).visibility === 'hidden' || getComputedStyle(video).opacity === '0'"
        )
    sources = {video.get_attribute("src") for video in hidden.all()}
    ahead = Review.objects.get(shown_at=None)
    assert ahead.revealed_at is None
    judge(page)
    expect(page.locator("body")).to_have_attribute("data-assignment", str(ahead.pk))
    assert {video.get_attribute("src") for video in page.locator("video[data-active]").all()} == sources
    page.wait_for_function(AHEAD_IS_LOADED)
    page.goto(f"/studies/{study.slug}/reviews/")
    wait_for(lambda: not Review.objects.filter(state="leased", shown_at=None).exists(), "the reserved pair stayed")
    assert Review.objects.filter(state="returned").count() == 1


def test_two_reviewers_at_once_never_have_the_same_pair(open_page, study, playable_pairs):
    playable_pairs(study, 4)
    lot = factories.lot_in_review(study, 4, has_pairs=True)
    address = f"/studies/{study.slug}/reviews/{lot.number}/secondary/"
    pages = [is_ready(open_page(address, factories.reviewer(study))) for _ in range(2)]
    for page in pages:
        page.wait_for_function(AHEAD_IS_LOADED)
    leased = list(Review.objects.filter(state="leased").values_list("item", flat=True))
    assert len(leased) == len(set(leased)) == 4
    for page in pages * 2:
        is_ready(page)
        submit_verdicts(page)
    for page in pages:
        expect(page.locator(NOTHING_LEFT)).to_be_visible()
    by_reviewer = Review.objects.filter(state="submitted").values_list("reviewer", flat=True)
    assert sorted(list(by_reviewer).count(one) for one in set(by_reviewer)) == [2, 2]


def test_a_second_blind_reviewer_answers_and_is_shown_nothing(open_page, study, playable_pairs):
    playable_pairs(study, 1)
    lot = factories.lot_in_review(study, 1, has_pairs=True, drawn=True)
    item = lot.items.get()
    first = factories.review(item, reviewer=factories.person(), kind="spot", blind=True, state="submitted")
    facts = {"study": study, "lot": lot, "pair": first.pair, "reviewer": first.reviewer, "guideline_version": 1}
    body = factories.body()
    choices = {key: "video_0" for key in body["helpfulness"] if key != "overall"} | {"helpfulness": "video_0"}
    choices |= {"harmlessness": "video_0", "tags_video_0": [], "tags_video_1": []}
    own = ReviewAnswer.objects.create(**facts, **choices, submission_id=body["submission_id"])
    SecondBlind.objects.create(study=study, lot=lot, pair=first.pair, item=item, first=own)
    second = factories.reviewer(study)
    page = open_page(f"/studies/{study.slug}/reviews/", second)
    page.get_by_role("link", name="1 answer waits").last.click()
    is_ready(page)
    expect(page.get_by_text("The answers of others stay hidden")).to_be_visible()
    answer_by_mouse(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator(NOTHING_LEFT)).to_be_visible()
    expect(page.locator(JUDGED)).to_have_count(0)
    assert SecondBlind.objects.get().second == ReviewAnswer.objects.get(reviewer=second)


def test_the_look_here_page_says_why_after_the_verdict(open_page, study, playable_pairs):
    playable_pairs(study, 1)
    lot = factories.lot_in_review(study, 1, has_pairs=True)
    page = is_ready(open_page(f"/studies/{study.slug}/reviews/{lot.number}/look/", factories.reviewer(study)))
    expect(page.get_by_text("It is never counted in a rate.")).to_be_visible()
    expect(page.locator("[data-why-here]")).to_be_hidden()
    judge(page)
    expect(page.locator("[data-why-here]")).to_contain_text("Nothing of this annotator was reviewed in this lot yet")
