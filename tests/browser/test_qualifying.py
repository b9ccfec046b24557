"""A person qualifies by keyboard: the training with its explanations, a failed test, the wait, the test, and work."""

from datetime import timedelta

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from qualification import attempts
from qualification.models import Attempt, Qualification, TurnAnswer
from studies.models import Study
from tests import factories
from tests.browser.test_reviewing import answer_by_keyboard
from tests.browser.working import is_ready
from tests.qualification import world

FEEDBACK = "[data-feedback]:visible"


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first")


@pytest.fixture
def asked(study, playable_pairs):
    """Let the study ask for a training of two pairs and a test of five. One more pair waits for work."""
    actor, pairs = factories.member(study, "researcher"), playable_pairs(study, 8)
    made = (
        world.published(study, "training", pairs[:2], actor),
        world.published(study, "test", pairs[2:7], actor),
    )
    Study.objects.filter(pk=study.pk).update(qualification_required=True)
    study.refresh_from_db()
    return made


def answer(page: Page) -> str:
    """Answer the pair by keyboard and submit it. Return the key of its turn."""
    is_ready(page)
    turn = page.locator("body").get_attribute("data-assignment") or ""
    answer_by_keyboard(page)
    page.keyboard.press("Control+Enter")
    return turn


@pytest.mark.long
def test_the_training_explains_each_answer_and_goes_on_by_key(open_page, study, asked):
    kim = factories.member(study, "annotator")
    page = open_page(f"/studies/{study.slug}/workspace/", kim)
    expect(page.get_by_role("heading", name="First the training, then a test")).to_be_visible()
    page.keyboard.press("Enter")
    answer(page)
    expect(page.locator(FEEDBACK)).to_contain_text("Only this one shows the ball.")
    expect(page.locator(".feedback-row")).to_have_count(3)
    expect(page.locator(".feedback-mark").first).to_have_text("✗ different" if _first_is_wrong() else "✓ as expected")
    page.reload()
    expect(page.locator(FEEDBACK)).to_contain_text("Expected:")
    is_ready(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-place]")).to_have_text("pair 2 of 2")


def _first_is_wrong() -> bool:
    return TurnAnswer.objects.get().helpfulness != "video_0"


@pytest.mark.long
def test_the_whole_way_from_the_training_to_work(open_page, study, asked):
    kim = factories.member(study, "annotator")
    page = open_page("/?all=1", kim)
    page.get_by_role("link", name="Compare videos").click()
    expect(page.get_by_role("button", name="Begin the training")).to_be_focused()
    page.keyboard.press("Enter")
    for place in (1, 2):
        expect(page.locator("[data-place]")).to_have_text(f"pair {place} of 2")
        answer(page)
        expect(page.locator(FEEDBACK)).to_be_visible()
        page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Begin the test")).to_be_focused()
    page.keyboard.press("Enter")
    for done in range(5):
        expect(page.locator("[data-place]")).to_have_text(f"pair {done + 1} of 5")
        turn = answer(page)
        expect(page.locator(f'body[data-assignment="{turn}"]')).to_have_count(0)
        expect(page.locator(FEEDBACK)).to_have_count(0)
    expect(page.get_by_role("heading", name="You did not pass this time")).to_be_visible()
    expect(page.get_by_role("heading", name="You can try again later")).to_be_visible()
    a_day_passes()
    attempt = attempts.begin(kim, study, "test")
    while (turn := attempts.next_step(attempt, kim).turn) is not None:
        world.answer(turn, kim)
    page.reload()
    expect(page.get_by_role("heading", name="You have qualified for this study")).to_be_visible()
    assert Qualification.objects.get(person=kim).attempt.number == 2
    page.get_by_role("link", name="Start working").press("Enter")
    is_ready(page)
    expect(page.locator("[data-place]")).to_have_count(0)


def a_day_passes() -> None:
    """Let every attempt have ended a day ago."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE qualification_attempt SET ended_at = ended_at - %s::interval", [timedelta(days=1)])
        cursor.execute("RESET session_replication_role")
    assert not Attempt.objects.filter(ended_at=None).exists()


@pytest.mark.long
def test_two_tabs_answer_a_pair_once(open_page, study, asked):
    kim = factories.member(study, "annotator")
    attempts.begin(kim, study, "training")
    tabs = [open_page(f"/studies/{study.slug}/qualification/training/work/", kim) for _ in range(2)]
    for tab in tabs:
        is_ready(tab)
    answer(tabs[0])
    expect(tabs[0].locator(FEEDBACK)).to_be_visible()
    answer(tabs[1])
    expect(tabs[1].locator(FEEDBACK)).to_be_visible()
    assert TurnAnswer.objects.count() == 1
