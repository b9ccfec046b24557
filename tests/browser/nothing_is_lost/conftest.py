"""Fixtures: the workspace before something is lost, and what a person does there by mouse."""

import pytest
from playwright.sync_api import expect

from accounts.models import Session
from annotation.models import Annotation
from tests import factories
from tests.web import wait_for

SUBMIT = '[data-action="submit"]'
STATUS = "[data-status]"
SUB_DIMENSIONS = ("instruction_following", "correctness", "informativeness", "aesthetics")
PASSWORD = "a password of its own"


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first")


@pytest.fixture
def workspace(open_page, study, annotator, playable_pairs):
    """Return the page of an annotator who has pairs to answer, with the next one loaded too."""
    playable_pairs(study, 5)

    def open_it(person=annotator, **options):
        page = open_page(f"/studies/{study.slug}/workspace/", person, **options)
        expect_a_pair(page)
        return page

    return open_it


def expect_a_pair(page):
    expect(page.locator("body[data-assignment]")).to_be_visible()
    page.wait_for_function("() => [...document.querySelectorAll('video')].every(video => video.readyState >= 3)")


def shown(page):
    return int(page.locator("body").get_attribute("data-assignment"))


def choose(page, question, side):
    page.locator(f"label:has(#q-{question}-{side})").click()


def answer(page, side="left"):
    """Give all answers by mouse, the same side everywhere, with one tag for each video."""
    page.locator('[data-tab="helpfulness"]').click()
    for question in (*SUB_DIMENSIONS, "helpfulness"):
        choose(page, question, side)
    page.locator('[data-tab="harmlessness"]').click()
    page.locator('label:has(input[name="tags-left"][value="violence"])').click()
    page.locator('label:has(input[name="tags-right"][value="crime"])').click()
    choose(page, "harmlessness", side)


def submit(page):
    """Press Submit. Return the id of the assignment that was submitted."""
    answered = shown(page)
    page.locator(SUBMIT).click()
    expect(page.locator(f'body[data-assignment="{answered}"]')).to_have_count(0)
    return answered


def answer_and_submit(page, side="left"):
    answer(page, side)
    return submit(page)


def panel(page, reason):
    return page.locator(f'[data-empty][data-reason="{reason}"]')


def stored(count):
    """Return the annotations when there are this many, in the order in which they were made."""
    wait_for(lambda: Annotation.objects.count() >= count, f"{count} answers did not arrive")
    found = list(Annotation.objects.order_by("pk"))
    assert len(found) == count
    assert len({annotation.submission_id for annotation in found}) == count
    return found


def kept(page, person, store):
    """Return the content of a person's database in the browser."""
    return page.evaluate(
        """([person, store]) => new Promise((resolve, reject) => {
             const opening = indexedDB.open(`diptych-${person}`);
             opening.onerror = () => reject(opening.error);
             opening.onsuccess = () => {
               const found = opening.result.transaction(store).objectStore(store).getAll();
               found.onsuccess = () => { opening.result.close(); resolve(found.result); };
             };
           })""",
        [str(person.pk), store],
    )


def end_session():
    """End a session as expiry does: delete its row."""
    Session.objects.all().delete()


def sign_in_again(page, person):
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Username")).to_have_value(person.username)
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in", exact=True).click()
