"""The guideline's editor: drafts that the browser keeps, the preview while writing, and publishing by keyboard."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from annotation.reading import publish_guideline
from studies.documents.texts import shipped, versions
from tests import factories

pytestmark = pytest.mark.long

SIZES = {"wide": {"width": 1280, "height": 720}, "narrow": {"width": 420, "height": 800}}
TASTE = "This is your own taste"


@pytest.fixture
def editor(open_page, study, researcher):
    def open_it(**options):
        page = open_page(f"/studies/{study.slug}/guideline/edit/", researcher, **options)
        expect(page.locator("[data-showing]")).to_be_visible()
        return page

    return open_it


def english(page):
    return page.get_by_label("English", exact=True)


def write(page, words):
    """Type words before the sentence about taste."""
    english(page).fill(shipped("guideline")["en"].replace(TASTE, f"{words} {TASTE}"))


def preview(page, language="en"):
    return page.locator(f'[data-column="{language}"] [data-preview]')


def test_the_preview_follows_what_is_written(editor):
    page = editor()
    write(page, "Look *twice*.")
    expect(preview(page).locator("em", has_text="twice")).to_be_attached()
    page.get_by_role("button", name="Changes from version 1").click()
    expect(preview(page).locator("ins", has_text="Look").first).to_be_visible()
    expect(preview(page, "zh-hans")).to_contain_text("Nothing differs")


def test_a_missing_section_is_reported_while_writing_and_refused(editor, study):
    page = editor()
    english(page).fill(shipped("guideline")["en"].replace("{#tag-hate}", ""))
    expect(preview(page).locator("[data-faults]")).to_contain_text("The text in English lacks sections: tag-hate.")
    page.get_by_role("button", name="Review and publish…").click()
    problems = page.get_by_role("alert")
    expect(problems).to_be_focused()
    expect(problems).to_contain_text("The text in English lacks sections: tag-hate.")
    study.refresh_from_db()
    assert study.guideline_version == 1


def test_a_draft_outlives_the_page_and_can_be_discarded(editor, study):
    page = editor()
    write(page, "Look twice.")
    expect(page.get_by_text("Draft saved in this browser")).to_be_visible()
    page.reload()
    expect(english(page)).to_have_value(shipped("guideline")["en"].replace(TASTE, f"Look twice. {TASTE}"))
    expect(page.get_by_text("was restored.")).to_be_visible()
    expect(preview(page)).to_contain_text("Look twice.")
    for _once in ("restored", "just saved"):
        page.get_by_role("button", name="Discard the draft").click()
        expect(english(page)).to_have_value(shipped("guideline")["en"])
        page.reload()
        expect(english(page)).to_have_value(shipped("guideline")["en"])
        write(page, "Look twice.")
        expect(page.get_by_text("Draft saved in this browser")).to_be_visible()


def test_a_draft_is_its_persons_own(editor, open_page, study):
    write(editor(), "Look twice.")
    other = open_page(f"/studies/{study.slug}/guideline/edit/", factories.member(study, "researcher"))
    expect(english(other)).to_have_value(shipped("guideline")["en"])


def test_publishing_by_keyboard_ends_the_draft(editor, study):
    page = editor()
    write(page, "Look twice.")
    page.get_by_role("button", name="Review and publish…").press("Enter")
    expect(page.get_by_role("heading", name="Publish version 2?")).to_be_visible()
    expect(page.locator("ins", has_text="Look").first).to_be_visible()
    page.get_by_role("button", name="Back to the editor").press("Enter")
    expect(english(page)).to_have_value(shipped("guideline")["en"].replace(TASTE, f"Look twice. {TASTE}"))
    page.get_by_role("button", name="Review and publish…").press("Enter")
    page.get_by_role("button", name="Publish version 2").press("Enter")
    expect(page.get_by_text("Version 2 of the guideline is in force.")).to_be_visible()
    expect(page.get_by_role("button", name="Discard the draft")).to_be_hidden()
    study.refresh_from_db()
    assert study.guideline_version == 2
    assert f"Look twice. {TASTE}" in versions(study, "guideline").get(version=2, language="en").text
    write(page, "And now this.")
    expect(page.get_by_text("Draft saved in this browser")).to_be_visible()
    page.reload()
    expect(preview(page)).to_contain_text("And now this.")


def test_a_version_published_meanwhile_is_shown_and_the_draft_is_kept(editor, study):
    page = editor()
    write(page, "Mine.")
    expect(page.get_by_text("Draft saved in this browser")).to_be_visible()
    theirs = shipped("guideline")["en"].replace(TASTE, f"Theirs. {TASTE}")
    publish_guideline(study, texts=shipped("guideline") | {"en": theirs}, actor=factories.member(study, "admin"))
    page.reload()
    expect(page.locator("[data-stale]")).to_be_visible()
    page.get_by_role("button", name="Review and publish…").click()
    expect(page.get_by_role("heading", name="Version 2 was published while you were editing")).to_be_visible()
    expect(page.locator("ins", has_text="Theirs").first).to_be_visible()
    expect(english(page)).to_have_value(shipped("guideline")["en"].replace(TASTE, f"Mine. {TASTE}"))
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("link", name="Discard my text and start from version 2").click()
    expect(english(page)).to_have_value(theirs)
    expect(page.get_by_role("button", name="Discard the draft")).to_be_hidden()


def test_without_the_network_the_words_stay_and_the_preview_comes_back(editor):
    page = editor()
    page.context.set_offline(True)
    write(page, "Look twice.")
    expect(page.locator('[data-column="en"] [data-preview-trouble]')).to_be_visible()
    page.context.set_offline(False)
    expect(preview(page)).to_contain_text("Look twice.")
    expect(page.locator('[data-column="en"] [data-preview-trouble]')).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(editor, size, scheme):
    page = editor(viewport=SIZES[size], color_scheme=scheme)
    write(page, "Look twice.")
    expect(preview(page)).to_contain_text("Look twice.")

    def is_fine():
        assert Axe().run(page).response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]

    is_fine()
    page.get_by_role("button", name="Review and publish…").click()
    expect(page.get_by_role("heading", name="Publish version 2?")).to_be_visible()
    is_fine()
    page.get_by_role("button", name="Back to the editor").click()
    english(page).fill("## Only this {#tags}")
    page.get_by_role("button", name="Review and publish…").click()
    expect(page.get_by_role("alert")).to_be_visible()
    is_fine()
