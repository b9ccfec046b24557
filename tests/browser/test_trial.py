"""A trial of the workspace in a browser: the gates work, the last answer can be viewed, and nothing is stored."""

import re

import pytest
from playwright.sync_api import expect

from annotation.models import Assignment, Seat
from catalog.models import Pair
from studies.models import Study
from tests import factories
from tests.browser.working import SUBMIT, answer_by_mouse, is_ready

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first", state="paused")


@pytest.mark.long
def test_a_researcher_walks_through_the_workspace_and_nothing_is_kept(
    open_page, study, researcher, annotator, playable_pairs
):
    pairs = playable_pairs(study, 2)
    seats = list(Seat.objects.values())
    page = is_ready(open_page(f"/studies/{study.slug}/trial/", researcher))
    expect(page.get_by_text("Trial: nothing is saved.")).to_be_visible()
    welcome = page.locator('dialog[data-dialog="welcome"]')
    if welcome.is_visible():
        welcome.locator("[data-action=begin]").click()
    expect(page.locator("body")).to_have_attribute("data-assignment", str(pairs[0].pk))
    expect(page).to_have_title(re.compile(r"Trial · "))
    recorded = page.locator('button[data-action="recorded"]')
    expect(recorded).to_be_disabled()
    expect(page.locator(SUBMIT)).to_have_attribute("aria-disabled", "true")
    answer_by_mouse(page)
    page.locator(SUBMIT).click()
    expect(page.locator("body")).to_have_attribute("data-assignment", str(pairs[1].pk))
    expect(page.locator("[data-status]")).to_have_text("Accepted. Nothing was saved.")
    recorded.click()
    expect(page.locator("[data-recorded]")).to_contain_text(re.compile("Violence, Injury, Gory Content"))
    page.keyboard.press("Escape")
    page.reload()
    is_ready(page)
    expect(page.locator("body")).to_have_attribute("data-assignment", str(pairs[1].pk))
    page.locator('button[data-action="skip"]').click()
    page.locator('input[value="cannot_judge"]').check()
    page.locator('button[data-action="confirm-skip"]').click()
    expect(page.locator('[data-when="trial_finished"]')).to_be_visible()
    kept = page.evaluate(
        """async () => {
          const done = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
          const found = [];
          for (const { name } of await indexedDB.databases()) {
            const database = await done(indexedDB.open(name));
            for (const table of database.objectStoreNames) {
              found.push(...await done(database.transaction(table).objectStore(table).getAll()));
            }
          }
          return found;
        }"""
    )
    assert kept == []
    assert list(Seat.objects.values()) == seats
    assert not Assignment.objects.exists()
    assert set(Pair.objects.values_list("open_slots", flat=True)) == {1}
    assert Study.objects.get().state == "paused"


@pytest.mark.long
def test_an_annotator_of_a_study_without_pairs_is_not_thanked_for_having_finished(open_page, db):
    empty = factories.study()
    page = open_page(f"/studies/{empty.slug}/workspace/", factories.member(empty, "annotator"))
    expect(page.get_by_role("heading", name="There are no pairs for you yet")).to_be_visible()
    expect(page.locator('[data-when="finished"]')).to_be_hidden()
