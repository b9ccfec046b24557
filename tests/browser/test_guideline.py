"""The guideline opens at its section, by mouse and by key.

Its use is recorded, and it is shown again after a change.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from annotation.models import Annotation, Assignment, Seat
from annotation.reading import publish_guideline
from studies.documents.texts import shipped
from tests import factories
from tests.web import wait_for

TASTE = "Which video looks better?"
SIZES = {
    "wide": {"width": 1280, "height": 720},
    "low": {"width": 1366, "height": 600},
    "zoomed": {"width": 640, "height": 360},  # 1280 × 720 at 200 %
    "phone": {"width": 390, "height": 844},
}
NARROW = {"width": 420, "height": 800}


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first")


@pytest.fixture
def work(study, playable_pairs):
    playable_pairs(study, 4)
    return f"/studies/{study.slug}/workspace/"


@pytest.fixture
def workspace(open_page, annotator, work):
    def open_it(person=annotator, **options):
        page = open_page(work, person, **options)
        expect(page.locator("body[data-assignment]")).to_be_visible()
        page.locator('[data-tab="helpfulness"]').click()
        return page

    return open_it


def sheet(page):
    """Return the guideline, beside the pair or in its dialog."""
    return page.locator("[data-guide]")


def close(page):
    sheet(page).get_by_role("button", name="Close").click()
    expect(sheet(page)).to_be_hidden()


def is_uncovered(page, selector):
    """Return whether the middle of the element is visible, with nothing on top of it."""
    return page.locator(selector).first.evaluate(
        "element => { const box = element.getBoundingClientRect();"
        " const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);"
        " return top !== null && (element.contains(top) || top.contains(element)) }"
    )


def reworded(english="Look twice.", chinese="请看两遍。"):
    """Return the shipped guideline with one more sentence in each language."""
    return {
        "en": shipped("guideline")["en"].replace("This is your own taste", f"{english} This is your own taste"),
        "zh-hans": shipped("guideline")["zh-hans"].replace("这里凭您个人的审美", f"{chinese}这里凭您个人的审美"),
    }


def in_view(page, heading):
    """Return whether the heading is in the visible part of the text."""
    return heading.evaluate(
        "heading => { const box = heading.getBoundingClientRect(),"
        " frame = heading.closest('[data-guide-text]').getBoundingClientRect();"
        " return box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1 }"
    )


@pytest.mark.long
def test_each_question_opens_its_section_and_the_focus_stays_on_the_question(workspace):
    page = workspace()
    ask = page.get_by_role("button", name=f"Guideline: {TASTE}")
    ask.click()
    heading = sheet(page).get_by_role("heading", name=TASTE)
    expect(heading).to_be_visible()
    assert in_view(page, heading)
    expect(heading).not_to_be_focused()
    expect(page.locator("[data-announce]")).to_contain_text(TASTE)
    expect(sheet(page).get_by_role("link", name=TASTE)).to_have_attribute("aria-current", "true")
    close(page)


@pytest.mark.long
def test_opened_by_the_keyboard_it_takes_the_focus_and_gives_it_back(workspace):
    page = workspace()
    ask = page.get_by_role("button", name=f"Guideline: {TASTE}")
    ask.focus()
    page.keyboard.press("Enter")
    expect(sheet(page).get_by_role("heading", name=TASTE)).to_be_focused()
    sheet(page).get_by_role("button", name="Close").focus()
    page.keyboard.press("Enter")
    expect(sheet(page)).to_be_hidden()
    expect(ask).to_be_focused()
    ask.click()
    sheet(page).get_by_role("button", name="Close").click()
    expect(page.locator("[data-step]", has=ask)).to_be_focused()


@pytest.mark.long
@pytest.mark.parametrize(
    "size",
    [
        "wide",
        pytest.param("low", marks=pytest.mark.long),
        pytest.param("zoomed", marks=pytest.mark.long),
        pytest.param("phone", marks=pytest.mark.long),
    ],
)
def test_the_guideline_is_beside_the_pair_and_the_keys_still_work(workspace, size):
    page = workspace(viewport=SIZES[size])
    page.locator('[data-action="play"]').click()
    page.wait_for_function("() => document.querySelector('video[data-active]').currentTime > 0")
    page.keyboard.press("g")
    expect(sheet(page).locator("section h3").first).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("[data-player]")).to_have_attribute("data-playing", "")
    for place in ('[data-screen="left"]', '[data-screen="right"]', "fieldset[data-current] legend", "[data-guide] h2"):
        assert is_uncovered(page, place), place
    page.keyboard.press("f")
    expect(page.locator("[data-questions] input:checked")).to_have_count(1)
    assert is_uncovered(page, "fieldset[data-current] legend")
    page.keyboard.press("Escape")  # hides the videos, as without the guideline
    expect(page.locator("[data-player][data-hidden]")).to_be_visible()
    expect(sheet(page)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]


@pytest.mark.long
def test_the_overall_question_opens_its_section_while_it_is_locked(workspace):
    page = workspace()
    page.get_by_role("button", name="Guideline: Overall, which video is more helpful").click()
    expect(sheet(page).get_by_role("heading", name="Overall, which video is more helpful")).to_be_visible()


@pytest.mark.long
def test_the_tags_open_their_section_and_link_to_each_of_the_twelve(workspace):
    page = workspace()
    page.locator('[data-tab="harmlessness"]').click()
    page.get_by_role("button", name="Guideline: tags of the right video").click()
    expect(sheet(page).get_by_role("heading", name="Which harms does each video show")).to_be_visible()
    expect(sheet(page).locator('nav [data-level="3"]')).to_have_count(12)
    sheet(page).get_by_role("link", name="Animal Abuse").click()
    heading = sheet(page).get_by_role("heading", name="Animal Abuse")
    expect(heading).to_be_visible()
    assert in_view(page, heading)


@pytest.mark.long
def test_one_key_opens_the_guideline_at_the_current_question_and_closes_it(workspace):
    page = workspace()
    page.keyboard.press("f")  # answers the first question, so now the second one is current
    step = page.locator("[data-step][data-current]")
    question = step.locator("legend").inner_text().strip()
    page.keyboard.press("g")
    heading = sheet(page).get_by_role("heading", name=question)
    expect(heading).to_be_visible()
    assert in_view(page, heading)
    expect(step).to_be_focused()
    page.keyboard.press("g")
    expect(sheet(page)).to_be_hidden()
    page.keyboard.press("g")
    page.locator('[data-tab="harmlessness"]').click()
    page.locator('input[name="tags-left"][value="crime"]').focus()
    page.keyboard.press("g")  # opened from elsewhere: it goes to where the person is
    heading = sheet(page).get_by_role("heading", name="Crime", exact=True)
    expect(heading).to_be_visible()
    assert in_view(page, heading)


@pytest.mark.long
def test_the_key_does_nothing_with_shortcuts_off(workspace):
    page = workspace()
    page.locator('[data-action="help"]').click()
    page.locator('[data-setting="keys"]').select_option("off")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.keyboard.press("g")
    expect(sheet(page)).to_be_hidden()


@pytest.mark.long
def test_the_guideline_is_fetched_once(workspace):
    page = workspace()
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/guideline/" in request.url else None)
    for _ in range(2):
        page.locator('[data-action="guideline"]').click()
        expect(sheet(page).get_by_role("heading", name=TASTE)).to_be_attached()
        close(page)
    assert len(asked) == 1


@pytest.mark.long
def test_what_was_opened_is_recorded_with_the_draft_and_survives_a_reload(open_page, annotator, work):
    page = open_page("/accounts/password/", annotator)
    page.clock.install()
    page.goto(work)
    expect(page.locator("body[data-assignment]")).to_be_visible()
    page.locator('[data-tab="helpfulness"]').click()
    current = int(page.locator("body").get_attribute("data-assignment"))
    page.get_by_role("button", name=f"Guideline: {TASTE}").click()
    expect(sheet(page).get_by_role("heading", name=TASTE)).to_be_visible()
    page.clock.fast_forward(4_000)
    sheet(page).get_by_role("link", name="When the two seem equal").click()  # seen for less than a second
    close(page)
    page.keyboard.press("f")

    def recorded():
        draft = Assignment.objects.get(pk=current).draft or {}
        return draft.get("viewing", {}).get("guideline", {})

    wait_for(lambda: recorded().get("opened"), "no section was recorded")
    assert (recorded()["version"], recorded()["language"]) == (1, "en")
    [opened] = recorded()["opened"]
    assert opened["section"] == "aesthetics"
    assert opened["open_s"] >= 4
    page.reload()
    expect(page.locator("body[data-assignment]")).to_be_visible()
    page.locator("label:has(#q-correctness-right)").click()
    wait_for(lambda: Assignment.objects.get(pk=current).draft["helpfulness"].get("correctness"), "not saved")
    assert [one["section"] for one in recorded()["opened"]] == ["aesthetics"]


def answer(page):
    """Answer the pair on the page, without watching it to the end: each video gets a tag."""
    for question in ("instruction_following", "correctness", "informativeness", "aesthetics", "helpfulness"):
        page.locator(f"label:has(#q-{question}-left)").click()
    page.locator('[data-tab="harmlessness"]').click()
    for side in ("left", "right"):
        page.locator(f'label:has(input[name="tags-{side}"][value="crime"])').click()
    page.locator("label:has(#q-harmlessness-left)").click()


@pytest.mark.long
def test_a_changed_guideline_is_read_before_the_next_pair(workspace, study, annotator):
    page = workspace()
    publish_guideline(study, texts=reworded(), actor=None)
    page.locator('[data-action="guideline"]').click()
    expect(sheet(page)).to_contain_text("version 1")  # the open pair goes on with the version with which it began
    answer(page)
    page.locator('[data-action="submit"]').click()
    expect(page.get_by_role("heading", name="The guideline has changed")).to_be_visible()
    page.get_by_role("button", name="Read what changed").click()
    expect(sheet(page)).to_contain_text("version 2")
    expect(sheet(page).locator("ins").first).to_contain_text("Look twice")
    expect(sheet(page).locator("section")).to_have_count(1)
    assert Axe().run(page).response["violations"] == []
    sheet(page).get_by_role("button", name="Whole guideline").click()
    expect(sheet(page).get_by_role("heading", name="The ground rules")).to_be_visible()
    sheet(page).get_by_role("button", name="I have read it").click()
    expect(page.locator("body[data-assignment]")).to_be_visible()
    assert Seat.objects.get(person=annotator).guideline_read == 2
    assert Annotation.objects.get().guideline_version == 1
    following = Assignment.objects.get(pk=int(page.locator("body").get_attribute("data-assignment")))
    assert following.guideline_version == 2


@pytest.mark.long
def test_one_that_changes_again_while_it_is_read_is_shown_again(open_page, study, annotator, work):
    publish_guideline(study, texts=reworded(), actor=None)
    Seat.objects.filter(person=annotator).update(guideline_read=1)
    page = open_page(work, annotator)
    page.get_by_role("button", name="Read what changed").click()
    expect(sheet(page)).to_contain_text("version 2")
    publish_guideline(study, texts=reworded("Look again.", "请再看一遍。"), actor=None)
    sheet(page).get_by_role("button", name="I have read it").click()
    expect(sheet(page)).to_contain_text("The guideline has changed again")
    expect(sheet(page).locator("ins").first).to_contain_text("Look again")
    sheet(page).get_by_role("button", name="I have read it").click()
    expect(page.locator("body[data-assignment]")).to_be_visible()


@pytest.mark.long
def test_without_the_network_the_guideline_says_so_and_can_be_tried_again(workspace):
    page = workspace()
    page.context.set_offline(True)
    page.get_by_role("button", name=f"Guideline: {TASTE}").click()
    expect(sheet(page)).to_contain_text("The server does not respond")
    page.context.set_offline(False)
    sheet(page).get_by_role("button", name="Try again").click()
    expect(sheet(page).get_by_role("heading", name=TASTE)).to_be_visible()


@pytest.mark.long
def test_the_guideline_can_be_read_in_chinese(workspace, study):
    page = workspace(factories.member(study, "annotator", locale="zh-hans"), locale="zh-CN")
    page.locator('[data-section="correctness"][data-action="ask-guideline"]').click()
    expect(sheet(page).get_by_role("heading", name="哪个视频中事物的样子和运动更真实？")).to_be_visible()
    expect(sheet(page).locator("[data-guide-columns]")).to_have_attribute("lang", "zh-Hans")


@pytest.mark.long
@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.long), "dark"])
def test_axe_finds_nothing_in_the_sheet_nor_on_the_page_of_versions(open_page, workspace, study, researcher, scheme):
    page = workspace(color_scheme=scheme, viewport=NARROW)
    page.locator('[data-action="guideline"]').click()
    expect(sheet(page).get_by_role("heading", name=TASTE)).to_be_attached()
    assert Axe().run(page).response["violations"] == []
    assert sheet(page).evaluate("sheet => sheet.scrollWidth <= sheet.clientWidth")
    publish_guideline(study, texts=reworded(), actor=None)
    for address in ("", "?changes=1", "?version=1"):
        page = open_page(f"/studies/{study.slug}/guideline/{address}", researcher, color_scheme=scheme, viewport=NARROW)
        assert Axe().run(page).response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


@pytest.mark.long
@pytest.mark.parametrize("size", ["wide", "low"])
def test_the_questions_with_their_help_still_fit(workspace, size):
    page = workspace(viewport=SIZES[size])
    for dimension in ("helpfulness", "harmlessness"):
        page.locator(f'[data-tab="{dimension}"]').click()
        assert page.evaluate("(a => a.scrollHeight <= a.clientHeight)(document.querySelector('[data-answers]'))")
        for ask in page.locator(f'[data-panel="{dimension}"] .ask').all():
            box = ask.bounding_box()
            assert min(box["width"], box["height"]) >= 24
