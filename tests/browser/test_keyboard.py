"""The workspace by keyboard: with shortcuts, and with only those keys that every page has."""

import re

import pytest
from playwright.sync_api import expect

from annotation.models import Annotation
from tests import factories
from tests.browser.working import HARMLESSNESS, QUESTIONS, SUBMIT, current, gate_is_open, is_ready, video_on
from tests.web import wait_for


@pytest.fixture
def study(db):
    return factories.study(dimension_order="helpfulness_first")


@pytest.fixture
def workspace(open_page, study, annotator, playable_pairs):
    playable_pairs(study, 3)

    def open_it(**options):
        return is_ready(open_page(f"/studies/{study.slug}/workspace/", annotator, **options))

    return open_it


def tab_to(page, selector, *, back=False):
    """Press Tab until a matching element has the focus."""
    matches = "selector => document.activeElement.matches(selector)"
    for _ in range(150):
        if page.evaluate(matches, selector):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    pytest.fail(f"Tab does not reach {selector}")


def play_to_the_end(page):
    """Play both videos to the end, with only the Play button and Space."""
    tab_to(page, 'button[data-action="play"]')
    page.keyboard.press("Space")
    for side in ("left", "right"):
        gate_is_open(page, side)
    page.keyboard.press("Space")


def switch_shortcuts_off(page):
    """Switch the shortcuts off in the Help sheet, by key."""
    tab_to(page, '[data-action="help"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    tab_to(page, '[data-setting="keys"]')
    page.keyboard.press("End")  # the last choice
    expect(page.locator("body")).to_have_attribute("data-keys-off", "")
    tab_to(page, "[data-close]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)


def stored(shown):
    return wait_for(lambda: Annotation.objects.filter(assignment=shown).first(), "nothing was stored")


@pytest.mark.long
def test_a_pair_with_shortcuts_only(workspace):
    page = workspace()
    shown = current(page)
    for key in "fjfjf":
        page.keyboard.press(key)
    expect(page.locator(HARMLESSNESS)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Space")  # the focus is on the tag step, which is not a control
    for side in ("left", "right"):
        gate_is_open(page, side)
    page.keyboard.press("Space")
    page.keyboard.press("n")
    expect(page.locator('[data-step="tags-right"]')).to_be_focused()
    page.keyboard.press("2")
    page.keyboard.press("=")
    page.keyboard.press("=")  # and off again
    page.keyboard.press("]")
    page.keyboard.press("f")
    page.keyboard.press("Control+Enter")
    answer = stored(shown)
    left, right = video_on(shown, "left"), video_on(shown, "right")
    order = answer.presentation
    assert [getattr(answer, key) for key in order["question_order"]] == [left, right, left, right]
    assert (answer.helpfulness, answer.harmlessness) == (left, left)
    assert getattr(answer, f"tags_{left}") == []
    assert getattr(answer, f"tags_{right}") == [order["tag_order"][1]]


@pytest.mark.long
def test_a_pair_with_shortcuts_off_by_tab_arrows_space_and_enter(workspace):
    page = workspace()
    switch_shortcuts_off(page)
    shown = current(page)
    for key in "fjn2":  # these keys do nothing now
        page.keyboard.press(key)
    expect(page.locator("[data-answers] input:checked")).to_have_count(0)
    play_to_the_end(page)
    order = page.locator("[data-questions] [data-step]").evaluate_all("rows => rows.map(row => row.dataset.step)")
    for question in order:
        tab_to(page, f'input[name="{question}"]')
        page.keyboard.press("ArrowRight")  # from left to right, which selects the answer
    tab_to(page, 'input[name="helpfulness"]')
    page.keyboard.press("Space")  # left
    tab_to(page, '[role="tab"]', back=True)
    page.keyboard.press("ArrowRight")
    expect(page.locator(HARMLESSNESS)).to_have_attribute("aria-selected", "true")
    tab_to(page, "#none-left")
    page.keyboard.press("Space")
    tab_to(page, 'input[name="tags-right"][value="violence"]')
    page.keyboard.press("Space")
    tab_to(page, 'input[name="harmlessness"]')
    page.keyboard.press("Space")
    tab_to(page, SUBMIT)
    page.keyboard.press("Enter")
    answer = stored(shown)
    left, right = video_on(shown, "left"), video_on(shown, "right")
    assert {getattr(answer, key) for key in QUESTIONS} == {right}
    assert (answer.helpfulness, answer.harmlessness) == (left, left)
    assert (getattr(answer, f"tags_{left}"), getattr(answer, f"tags_{right}")) == ([], ["violence"])
    assert answer.viewing["presentation"]["keys"] == "off"


@pytest.mark.long
def test_none_of_these_stays_locked_until_the_video_was_watched(workspace):
    page = workspace()
    page.locator(HARMLESSNESS).click()
    tab_to(page, "#none-left")
    page.keyboard.press("Space")
    expect(page.locator("#none-left")).not_to_be_checked()
    expect(page.locator("[data-status]")).to_contain_text("watch the video to the end")


@pytest.mark.long
@pytest.mark.parametrize(("preset", "keys"), [("middle", "fj"), ("left-hand", "ad"), ("right-hand", "jl")])
def test_each_preset_answers_left_and_right(workspace, preset, keys):
    page = workspace()
    page.locator('[data-action="help"]').click()
    page.locator('[data-setting="keys"]').select_option(preset)
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.locator("[data-questions] [data-step]").first.focus()
    for key in keys:
        page.keyboard.press(key)
    steps = page.locator("[data-questions] [data-step]")
    expect(steps.nth(0).get_by_label("Left")).to_be_checked()
    expect(steps.nth(1).get_by_label("Right")).to_be_checked()


TAKEN_BY_BROWSERS = [
    {"code": "KeyF", "key": "f", "ctrlKey": True},
    {"code": "KeyF", "key": "f", "metaKey": True},
    {"code": "KeyT", "key": "t", "ctrlKey": True},
    {"code": "KeyW", "key": "w", "ctrlKey": True},
    {"code": "KeyN", "key": "n", "ctrlKey": True},
    {"code": "KeyJ", "key": "j", "ctrlKey": True},
    {"code": "KeyD", "key": "d", "altKey": True},
    {"code": "Digit0", "key": "0", "ctrlKey": True},
    {"code": "Digit1", "key": "1", "altKey": True},
    {"code": "Equal", "key": "=", "ctrlKey": True},
    {"code": "Minus", "key": "-", "ctrlKey": True},
    {"code": "ArrowLeft", "key": "ArrowLeft", "altKey": True},
    {"code": "F5", "key": "F5"},
    {"code": "F6", "key": "F6"},
    {"code": "Slash", "key": "/"},
    {"code": "Quote", "key": "'"},
    {"code": "Tab", "key": "Tab"},
    {"code": "Tab", "key": "Tab", "shiftKey": True},
    {"code": "PageDown", "key": "PageDown"},
    {"code": "Home", "key": "Home"},
    {"code": "KeyF", "key": "f", "isComposing": True},
]


def is_left_alone(page, event):
    """Return whether the page leaves the key to the browser, wherever the focus is."""
    return page.evaluate(
        """init => document.activeElement.dispatchEvent(
             new KeyboardEvent('keydown', { ...init, bubbles: true, cancelable: true }))""",
        event,
    )


@pytest.mark.long
def test_no_key_combination_of_the_browser_is_used(workspace):
    page = workspace()
    page.locator(HARMLESSNESS).click()
    page.locator(HARMLESSNESS).focus()  # the tab handles arrows, Home and End itself
    combined = [event for event in TAKEN_BY_BROWSERS if set(event) & {"ctrlKey", "altKey", "metaKey"}]
    assert [event for event in combined if not is_left_alone(page, event)] == []
    page.locator('[data-step="tags-left"]').focus()
    assert [event for event in TAKEN_BY_BROWSERS if not is_left_alone(page, event)] == []
    expect(page.locator("[data-answers] input:checked")).to_have_count(0)


@pytest.mark.long
def test_backspace_removes_an_answer_but_not_in_a_field(workspace):
    page = workspace()
    page.keyboard.press("f")
    page.locator("[data-speed]").focus()
    page.keyboard.press("Backspace")
    expect(page.locator("[data-answers] input:checked")).to_have_count(1)
    page.locator("[data-questions] [data-step]").first.focus()
    page.keyboard.press("Backspace")
    expect(page.locator("[data-answers] input:checked")).to_have_count(0)


@pytest.mark.long
def test_the_page_is_read_in_the_order_in_which_it_is_worked(workspace):
    page = workspace()
    heard = page.locator("body").aria_snapshot()
    order = [
        'region "Prompt"',
        'region "The two videos"',
        'group "Player"',
        'tablist "Helpfulness and harmlessness"',
        'group "Overall',
    ]
    places = [re.search(re.escape(words), heard).start() for words in order]
    assert places == sorted(places), heard
    unnamed = re.findall(r"- (?:button|radio|checkbox|combobox|slider|tab|link)\n", heard)
    assert unnamed == [], heard


@pytest.mark.long
@pytest.mark.parametrize("dimension", ["helpfulness", "harmlessness"])
@pytest.mark.parametrize("tag_format", ["check_all", "yes_no"])
def test_at_200_percent_zoom_everything_is_there_without_scrolling_sideways(workspace, study, dimension, tag_format):
    study.tag_format = tag_format
    study.save()
    page = workspace(viewport={"width": 640, "height": 360})
    page.locator(f'[data-tab="{dimension}"]').click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    boxes = page.locator(f"[data-panel={dimension}] label").evaluate_all(
        "labels => labels.map(label => { const box = label.getBoundingClientRect(); "
        "return [box.left, box.top + scrollY, box.right, box.bottom + scrollY] })"
    )
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            apart = one[2] <= other[0] + 1 or other[2] <= one[0] + 1 or one[3] <= other[1] + 1 or other[3] <= one[1] + 1
            assert apart, "two answers lie on each other"


@pytest.mark.long
def test_nothing_moves_with_reduced_motion(workspace):
    page = workspace(reduced_motion="reduce")
    assert page.locator(".choice").first.evaluate("element => getComputedStyle(element).transitionDuration") == "0s"
