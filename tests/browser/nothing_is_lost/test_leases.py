"""A lease or an address expires while somebody answers.

Nothing is lost, and nothing counts that must not count.
"""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation import leases, serving
from annotation.models import Assignment
from tests import factories
from tests.browser.nothing_is_lost.conftest import (
    STATUS,
    answer,
    answer_and_submit,
    expect_a_pair,
    shown,
    stored,
    submit,
)


def expire_leases():
    """Let all leases expire, and run the sweep."""
    past = timezone.now() - timedelta(hours=1)
    Assignment.objects.update(leased_at=past, shown_at=None, expires_at=past + timedelta(minutes=30))
    leases.return_expired()


@pytest.mark.long
def test_an_expired_lease_costs_nothing_while_its_pair_is_free(workspace):
    page = workspace()
    answer(page)
    expire_leases()
    answered = submit(page)
    [annotation] = stored(1)
    assert annotation.assignment_id == answered
    assert annotation.standing.counted
    expect_a_pair(page)
    answer_and_submit(page)
    assert all(annotation.standing.counted for annotation in stored(2))


@pytest.mark.long
def test_an_answer_to_a_pair_that_went_to_somebody_else_is_kept_too(workspace, study):
    page = workspace()
    answer(page)
    expire_leases()
    mine = Assignment.objects.get(pk=shown(page))
    assert serving.lease(factories.member(study, "annotator"), study).current.pair_id == mine.pair_id
    submit(page)
    [annotation] = stored(1)
    assert not annotation.standing.counted
    expect(page.locator(STATUS)).to_contain_text("Someone else answered this pair first")


@pytest.mark.long
def test_an_expired_media_address_is_renewed_in_place(open_page, study, annotator, playable_pairs):
    playable_pairs(study, 3)
    page = open_page("/", annotator)
    expired = []

    def gone_once(route):
        if len(expired) < 1:
            expired.append(route.request.url)
            route.fulfill(status=410)
        else:
            route.continue_()

    page.route(re.compile(r"/media/.*\.mp4"), gone_once)
    page.goto(f"/studies/{study.slug}/workspace/")
    expect_a_pair(page)
    assert len(expired) == 1
    answer_and_submit(page)
    stored(1)
