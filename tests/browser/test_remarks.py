"""Comments and marks of annotators, their progress, and the reminder to take time, in a real Chromium."""

import json

import pytest
from playwright.sync_api import expect

from annotation.models import Annotation, Assignment
from media.models import Asset
from tests import factories
from tests.browser.working import QUESTIONS, SUBMIT, answer_by_mouse, choose, current, is_ready, submit_and_wait
from tests.web import wait_for

UNSURE, COMMENT = "input[data-unsure]", "textarea[data-comment]"
PLACE, TODAY = "h1 [data-batch-place]", "[data-active-today]"


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first", comments=True, reminders=True)


@pytest.fixture
def workspace(open_page, study, annotator, playable_pairs):
    playable_pairs(study, 4)

    def open_it(query="", **options):
        return is_ready(open_page(f"/studies/{study.slug}/workspace/{query}", annotator, **options))

    return open_it


@pytest.mark.long
def test_comments_and_marks_are_kept_sent_and_shown_again(workspace):
    page = workspace()
    first = current(page)
    expect(page.locator(PLACE)).to_have_text("1 of 4 in batch 1")
    page.keyboard.press("u")
    expect(page.locator(UNSURE)).to_be_checked()
    page.keyboard.press("c")
    page.keyboard.type("f j 1 u c")  # letters, not answers
    expect(page.locator(COMMENT)).to_have_value("f j 1 u c")
    assert page.locator("fieldset[data-step] input:checked").count() == 0
    said = {"unsure": True, "comment": "f j 1 u c"}
    wait_for(lambda: said.items() <= (Assignment.objects.get(pk=first.pk).draft or {}).items(), "no draft was kept")

    page.reload()
    is_ready(page)
    expect(page.locator(UNSURE)).to_be_checked()
    expect(page.locator(COMMENT)).to_have_value("f j 1 u c")
    page.context.set_offline(True)
    page.locator(COMMENT).fill("Both look alike.")
    answer_by_mouse(page)
    submit_and_wait(page)
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    stored = wait_for(lambda: Annotation.objects.first(), "the answer was not sent")
    assert (stored.unsure, stored.comment) == (True, "Both look alike.")

    is_ready(page)  # the next pair has no comment
    expect(page.locator(UNSURE)).not_to_be_checked()
    expect(page.locator(COMMENT)).to_be_hidden()
    expect(page.locator(COMMENT)).to_have_value("")
    expect(page.locator(PLACE)).to_have_text("2 of 4 in batch 1")
    expect(page.locator(TODAY)).to_contain_text("Pairs today: 1", timeout=15_000)
    page.locator('[data-action="skip"]').click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("textarea")).to_be_hidden()
    dialog.get_by_label("Technical problem").check()
    dialog.get_by_label("What did not work?").fill("The left one stops.")
    dialog.get_by_role("button", name="Skip pair").click()
    skipped = wait_for(lambda: Assignment.objects.filter(state="skipped").first(), "it was not skipped")
    assert (skipped.skip_reason, skipped.skip_note) == ("technical_problem", "The left one stops.")
    expect(page.locator(PLACE)).to_have_text("2 of 3 in batch 1")

    page.goto(f"{page.url}?reopen={first.pk}")
    expect(page.locator(COMMENT)).to_have_value("Both look alike.")
    expect(page.locator(PLACE)).to_have_text("")
    page.locator(UNSURE).uncheck()
    page.locator(SUBMIT).click()
    wait_for(
        lambda: Annotation.objects.filter(revision=2, unsure=False, comment="Both look alike.").exists(), "no change"
    )


@pytest.mark.long
def test_a_study_without_comments_offers_none(open_page, annotator, playable_pairs):
    plain = factories.study()
    factories.agreements.agree(annotator, plain, categories=[], text="I agree.")
    plain.memberships.create(person=annotator, role="annotator")
    playable_pairs(plain, 1)
    page = is_ready(open_page(f"/studies/{plain.slug}/workspace/", annotator))
    page.keyboard.press("c")
    expect(page.locator('[data-action="comment"]')).to_be_hidden()
    expect(page.locator(COMMENT)).to_be_hidden()


def pace(page, study, annotator):
    """Return what the page has stored about the person's pace."""
    name = f"diptych:{annotator.pk}:reminder:{study.slug}"
    return json.loads(page.evaluate("name => localStorage.getItem(name)", name) or "null")


def answer_all_left(page):
    for question in (*QUESTIONS, "helpfulness"):
        choose(page, question, "left")
    page.locator('[data-tab="harmlessness"]').click()
    for side in ("left", "right"):
        page.locator(f'label:has(input[name="tags-{side}"][value="crime"])').click()
    choose(page, "harmlessness", "left")


@pytest.mark.long
@pytest.mark.parametrize("why", ["side", pytest.param("fast", marks=pytest.mark.long)])
def test_a_reminder_comes_after_twenty_pairs_once_and_is_in_the_record(workspace, study, annotator, why):
    Asset.objects.update(duration_s=600.0 if why == "fast" else 0.1)
    page = workspace()
    kept = {"fast": 18, "oneSided": 0} if why == "fast" else {"fast": 0, "oneSided": 18, "side": "left"}
    page.evaluate(
        "([name, kept]) => localStorage.setItem(name, JSON.stringify(kept))",
        [f"diptych:{annotator.pk}:reminder:{study.slug}", kept],
    )
    line = page.locator("[data-reminder]")
    answer_all_left(page)
    submit_and_wait(page)
    expect(line).to_be_hidden()  # nineteen
    answer_all_left(page)
    submit_and_wait(page)
    expect(line).to_have_text("Reminder: take the time each pair needs, and judge each pair independently.")
    kept = pace(page, study, annotator)
    assert (kept["fast"], kept["oneSided"]) == (0, 0)
    page.reload()
    is_ready(page)
    expect(line).to_be_visible()  # still about this pair
    answer_all_left(page)
    submit_and_wait(page)
    expect(line).to_be_hidden()
    wait_for(lambda: Annotation.objects.count() == 3, "the last answer was not sent")
    cues = [annotation.viewing["cues"] for annotation in Annotation.objects.order_by("pk")]
    assert [cue.get(f"reminder_{why}") for cue in cues] == [None, None, 1]


@pytest.mark.long
def test_varied_sides_or_a_slow_pair_restart_the_count(workspace, study, annotator):
    Asset.objects.update(duration_s=0.1)
    page = workspace()
    page.evaluate(
        "([name, kept]) => localStorage.setItem(name, JSON.stringify(kept))",
        [f"diptych:{annotator.pk}:reminder:{study.slug}", {"fast": 19, "oneSided": 19, "side": "left"}],
    )
    answer_all_left(page)
    choose(page, "harmlessness", "right")
    submit_and_wait(page)
    kept = pace(page, study, annotator)
    assert (kept["fast"], kept["oneSided"], kept["side"]) == (0, 0, "")
    expect(page.locator("[data-reminder]")).to_be_hidden()
