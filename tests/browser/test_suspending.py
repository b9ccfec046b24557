"""A researcher suspends a person in the browser, somebody else is asked, and the suspension is lifted."""

import re

import pytest
from playwright.sync_api import expect

from annotation import leases
from annotation.models import Standing
from tests import factories

pytestmark = pytest.mark.long


def test_suspend_see_what_follows_and_lift(open_page, study, playable_pairs):
    playable_pairs(study, 3)
    careless, other = (factories.member(study, "annotator", username=name) for name in ("careless", "other"))
    for _ in range(3):
        factories.answer(careless, study)
    leases.complete_batches()
    page = open_page(f"/studies/{study.slug}/people/", factories.member(study, "researcher"))
    page.get_by_role("link", name="careless").click()
    page.get_by_role("link", name="Suspend from annotating…").click()
    page.get_by_label("All answers").check()
    page.get_by_role("button", name="Preview the suspension").click()
    expect(page).to_have_url(re.compile("what=all"))
    page.get_by_label("Reason").fill("Random clicks.")
    page.get_by_role("button", name="Suspend, and take out 3 answers").click()
    expect(page.locator("main")).to_contain_text("3 answers were taken out.")
    assert not Standing.objects.filter(counted=True).exists()

    theirs = open_page(f"/studies/{study.slug}/workspace/", careless)
    expect(theirs.locator('[data-when="suspended"]')).to_be_visible()
    someone = open_page(f"/studies/{study.slug}/workspace/", other)
    expect(someone.locator("video[data-active]")).to_have_count(2)
    factories.answer(other, study)

    page.get_by_label("Reason").fill("It was the wrong person.")
    page.get_by_role("button", name="Lift the suspension").click()
    expect(page.locator("main")).to_contain_text("1 answer counts again.")
    expect(page.locator("main")).to_contain_text("2 answers do not count again")
    theirs.get_by_role("button", name="Check for a new pair").click()
    expect(theirs.locator('[data-when="suspended"]')).to_be_hidden()
