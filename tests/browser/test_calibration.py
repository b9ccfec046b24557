"""A calibration session by keyboard: judge the pairs blind, then see everybody's answers."""

import pytest
from playwright.sync_api import expect

from calibration import preparing, turns
from calibration.models import CalibrationAnswer
from tests import factories
from tests.browser.test_reviewing import answer_by_keyboard
from tests.browser.working import is_ready
from tests.calibration.test_calibration import judge_all


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first")


@pytest.mark.long
def test_pairs_are_judged_one_after_the_other_and_nothing_is_revealed_before(open_page, study, playable_pairs):
    pairs = playable_pairs(study, 2)
    leader, kim, lee = (factories.reviewer(study, role) for role in ("researcher", "reviewer", "reviewer"))
    session = preparing.make(study, "Falling objects", actor=leader)
    preparing.add(session, pairs=[pair.public_id for pair in pairs], actor=leader)
    preparing.open_session(session, actor=leader)
    judge_all(lee, session, "video_1")

    page = open_page(f"/studies/{study.slug}/calibrations/{session.number}/", kim)
    expect(page.get_by_text("You see what others answered when you have judged all pairs.")).to_be_visible()
    page.get_by_role("link", name="Judge the pairs").click()
    for done in (1, 2):
        is_ready(page)
        answer_by_keyboard(page)
        page.keyboard.press("Control+Enter")
        if done == 1:
            expect(page.locator("[data-status]")).to_contain_text("Your answer is saved.")
            expect(page.locator("fieldset[data-judge]")).to_have_count(0)
    expect(page.locator('[data-when="nothing_due"]')).to_be_visible()
    assert CalibrationAnswer.objects.filter(sitting__person=kim).count() == 2
    assert turns.has_judged(kim, session)
    page.get_by_role("link", name="See the results").click()
    expect(page.get_by_role("heading", name="Pair by pair")).to_be_visible()
    expect(page.get_by_text("≠ differs").first).to_be_visible()
