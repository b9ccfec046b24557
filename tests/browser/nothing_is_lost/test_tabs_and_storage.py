"""Two tabs, no storage, a full disk, a wrong clock: nothing is lost, and the page says what it does."""

import re

import pytest
from playwright.sync_api import expect

from annotation.models import Assignment
from tests.browser.nothing_is_lost.conftest import (
    STATUS,
    answer,
    answer_and_submit,
    choose,
    expect_a_pair,
    kept,
    panel,
    stored,
    submit,
)


@pytest.mark.long
def test_the_newer_tab_works_and_the_older_takes_it_back(workspace, study):
    old = workspace()
    choose(old, "correctness", "right")
    new = old.context.new_page()
    new.goto(f"/studies/{study.slug}/workspace/")
    expect_a_pair(new)
    expect(panel(old, "taken_over")).to_be_visible()
    expect(new.locator("#q-correctness-right")).to_be_checked()
    choose(new, "aesthetics", "left")
    old.bring_to_front()
    old.get_by_role("button", name="Work in this tab").click()
    expect_a_pair(old)
    expect(panel(new, "taken_over")).to_be_visible()
    expect(old.locator("#q-correctness-right")).to_be_checked()
    expect(old.locator("#q-aesthetics-left")).to_be_checked()
    answer_and_submit(old)
    stored(1)


@pytest.mark.long
def test_time_goes_on_in_another_tab_and_is_counted_once(workspace, study):
    old = workspace()
    answer(old)
    began = old.evaluate("performance.now()")
    new = old.context.new_page()
    new.goto(f"/studies/{study.slug}/workspace/")
    expect_a_pair(new)
    new.mouse.move(300, 300)
    submit(new)
    [annotation] = stored(1)
    lived = began + new.evaluate("performance.now()")
    assert 0 < annotation.timings_ms["total_active"] <= lived
    parts = {stage: ms for stage, ms in annotation.timings_ms.items() if stage != "total_active"}
    assert sum(parts.values()) == pytest.approx(annotation.timings_ms["total_active"], abs=len(parts))


@pytest.mark.long
def test_without_storage_the_page_works_from_memory_and_says_so(open_page, study, annotator, playable_pairs):
    playable_pairs(study, 3)
    page = open_page("/", annotator)
    page.add_init_script("IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); }")
    page.goto(f"/studies/{study.slug}/workspace/")
    expect_a_pair(page)
    expect(page.locator(STATUS)).to_contain_text("blocks storage")
    page.context.set_offline(True)
    answered = answer_and_submit(page)
    page.context.set_offline(False)
    [annotation] = stored(1)
    assert annotation.assignment_id == answered


@pytest.mark.long
def test_a_full_disk_is_reported_and_loses_nothing(workspace):
    page = workspace()
    page.evaluate(
        """() => { IDBObjectStore.prototype.put = IDBObjectStore.prototype.add = () => {
             throw new DOMException('full', 'QuotaExceededError'); }; }"""
    )
    answer_and_submit(page)
    expect(page.locator(STATUS)).to_contain_text("blocks storage")
    stored(1)
    answer_and_submit(page)
    stored(2)


@pytest.mark.long
@pytest.mark.parametrize("hours", [-30, 30])
def test_a_wrong_clock_is_reported_and_changes_nothing(open_page, study, annotator, playable_pairs, hours):
    playable_pairs(study, 3)
    page = open_page("/", annotator)
    page.add_init_script(f"const right = Date.now; Date.now = () => right() + {hours} * 3600_000")
    page.goto(f"/studies/{study.slug}/workspace/")
    expect_a_pair(page)
    expect(page.locator(STATUS)).to_contain_text("clock of your computer is off by 30 hours")
    answer_and_submit(page)
    [annotation] = stored(1)
    assert annotation.standing.counted
    assert Assignment.objects.filter(state="leased").count() == 2


@pytest.mark.long
def test_no_video_is_stored_in_the_browser(workspace, annotator):
    page = workspace()
    answer(page)
    page.context.set_offline(True)
    submit(page)
    everything = kept(page, annotator, "drafts") + kept(page, annotator, "submissions")
    assert len(str(everything)) < 10_000
    assert page.evaluate("caches.keys()") == []


@pytest.mark.long
def test_a_saved_answer_is_announced_once_and_drafts_are_not(workspace):
    page = workspace()
    page.evaluate(
        """() => {
             window.said = [];
             const announcer = document.querySelector('[role=status][data-announce]');
             new MutationObserver(() => said.push(announcer.textContent)).observe(announcer, { childList: true });
           }"""
    )
    answer(page)
    expect(page.locator(STATUS)).to_contain_text("aved")
    assert page.evaluate("said") == []
    submit(page)
    stored(1)
    expect(page.locator(STATUS)).to_contain_text("Answer saved")
    assert page.evaluate("said") == ["Answer saved ✓"]


@pytest.mark.long
def test_the_help_sheet_says_how_long_the_person_has_worked(workspace):
    page = workspace()
    answer(page)
    page.locator('[data-action="help"]').click()
    sheet = page.get_by_role("dialog")
    expect(sheet.locator("[data-active-today-time]")).to_have_text(re.compile(r"\d+ minutes?"))
    expect(sheet.locator('[data-active-part="helpfulness_stage1"]')).to_have_text(re.compile(r"\d+ seconds?"))
