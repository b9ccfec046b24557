"""The focus is never on a control that the page has chosen, so a single key does what Help says."""

import pytest
from playwright.sync_api import expect

from annotation.models import Annotation
from tests import factories
from tests.browser.test_keyboard import tab_to
from tests.browser.watching import READY
from tests.browser.working import (
    HARMLESSNESS,
    HELPFULNESS,
    PLAY,
    QUESTIONS,
    SUBMIT,
    choose,
    current,
    gate_is_open,
    is_ready,
    video_on,
)
from tests.web import wait_for

PLAYING, PAUSED = ("aria-pressed", "true"), ("aria-pressed", "false")
FULL_SCREEN = '[data-action="full-screen"]'
MISSING = "[data-missing]"


@pytest.fixture
def workspace(open_page, playable_pairs):
    """Return the page of an annotator of a study with these settings."""

    def open_it(*, pairs=3, first_run=False, before=None, **settings):
        study = factories.study(**{"dimension_order": "helpfulness_first"} | settings)
        playable_pairs(study, pairs)
        person = factories.member(study, "annotator")
        page = open_page("/accounts/password/" if before else "/", person, first_run=first_run)
        if before:
            page.add_init_script(before)
        page.goto(f"/studies/{study.slug}/workspace/")
        return is_ready(page)

    return open_it


def answer_by_key(page):
    """Give all answers, with one tag for each video. The last key answers the last question."""
    for key in "fjfjf1]1]f":
        page.keyboard.press(key)
    expect(page.locator("[data-why-not]")).to_have_attribute("data-ready", "")


def question_at_hand(page):
    return page.locator("fieldset[data-current]")


def play_with_space(page, before=PAUSED):
    """Check that Space plays or pauses, whatever was clicked before."""
    expect(page.locator(PLAY)).to_have_attribute(*before)
    page.keyboard.press("Space")
    expect(page.locator(PLAY)).to_have_attribute(*(PLAYING if before == PAUSED else PAUSED))


@pytest.mark.long
def test_after_the_last_answer_space_plays_and_only_its_own_key_submits(workspace):
    page = workspace()
    shown = current(page)
    answer_by_key(page)
    expect(page.locator('[data-step="harmlessness"]')).to_be_focused()
    play_with_space(page)
    page.keyboard.press("Enter")
    assert page.locator("body").get_attribute("data-assignment") == str(shown.pk)
    page.keyboard.press("Control+Enter")
    expect(page.locator(f'body[data-assignment="{shown.pk}"]')).to_have_count(0)
    expect(question_at_hand(page)).to_be_focused()
    play_with_space(page)


@pytest.mark.long
def test_after_a_click_every_single_key_does_what_help_says(workspace):
    page = workspace()
    page.locator(HARMLESSNESS).click()
    expect(page.locator('[data-step="tags-left"]')).to_be_focused()
    speed, tags = page.locator("[data-speed]"), page.locator('[data-step="tags-left"] [data-tag] input')

    box = speed.bounding_box()
    page.mouse.click(box["x"] + 5, box["y"] + 5)  # opens the list
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(tags.nth(0)).to_be_checked()
    expect(speed).to_have_value("1")
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(speed).to_have_value("1.5")
    page.keyboard.press("2")
    expect(tags.nth(1)).to_be_checked()
    expect(speed).to_have_value("1.5")

    page.locator(PLAY).click()
    play_with_space(page, PLAYING)
    page.get_by_role("button", name="Loop").click()
    play_with_space(page)
    expect(page.get_by_role("button", name="Loop")).to_have_attribute("aria-pressed", "false")
    scrub = page.locator("[data-scrub]").bounding_box()
    page.mouse.move(scrub["x"] + 20, scrub["y"] + 10)
    page.mouse.down()
    page.mouse.move(scrub["x"] + 60, scrub["y"] - 200)  # a drag that ends elsewhere
    page.mouse.up()
    expect(page.locator('[data-step="tags-left"]')).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("3")
    expect(tags.nth(2)).to_be_checked()
    page.locator('label:has(input[name="tags-right"][value="crime"])').click()
    expect(page.locator('[data-step="tags-right"]')).to_be_focused()
    page.locator(HELPFULNESS).click()
    choose(page, page.locator("[data-questions] [data-step]").first.get_attribute("data-step"), "left")
    expect(page.locator("[data-questions] [data-step]").nth(1)).to_be_focused()


@pytest.mark.long
def test_after_a_dialog_or_a_menu_single_keys_go_on(workspace):
    page = workspace()
    step = question_at_hand(page)
    for close in ("Close", "Escape"):
        page.locator('[data-action="help"]').click()
        page.keyboard.press("Space")  # presses no control of the dialog
        expect(page.get_by_role("dialog")).to_be_visible()
        if close == "Escape":
            page.keyboard.press("Escape")
        else:
            page.get_by_role("dialog").get_by_role("button", name="Close").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(step).to_be_focused()
    page.locator("[data-menu] > summary").click()
    expect(page.locator("[data-menu][open]")).to_be_visible()
    play_with_space(page)
    page.keyboard.press("Escape")
    expect(page.locator("[data-menu][open]")).to_have_count(0)
    expect(step).to_be_focused()
    play_with_space(page, PLAYING)


@pytest.mark.long
def test_a_pair_that_is_skipped_by_key_leads_to_the_first_question_of_the_next(workspace):
    page = workspace()
    before = current(page)
    page.keyboard.press("f")
    page.keyboard.press("s")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(f'body[data-assignment="{before.pk}"]')).to_have_count(0)
    expect(page.locator("[data-questions] [data-step]").first).to_be_focused()
    expect(page.locator("[data-questions] [data-step]").first).to_have_attribute("data-current", "")


@pytest.mark.long
def test_full_screen_shows_prompt_and_answers_and_takes_every_key(workspace):
    page = workspace()
    page.locator(FULL_SCREEN).click()
    page.wait_for_function("() => document.fullscreenElement")
    play_with_space(page)
    assert page.evaluate("document.fullscreenElement !== null")
    expect(page.locator("[data-prompt]")).to_be_in_viewport(ratio=1)
    for key in "fj":
        expect(question_at_hand(page)).to_be_in_viewport(ratio=1)
        page.keyboard.press(key)
    expect(page.locator("[data-questions] input:checked")).to_have_count(2)
    page.keyboard.press("h")
    expect(page.locator('[data-step="tags-left"]')).to_be_in_viewport(ratio=1)
    page.keyboard.press("1")
    expect(page.locator('[data-step="tags-left"] input:checked')).to_have_count(1)
    page.keyboard.press("Control+Enter")  # too soon
    expect(page.locator(MISSING)).to_be_in_viewport(ratio=1)
    for video in page.locator("video[data-active]").all():
        expect(video).to_be_in_viewport(ratio=1)
    page.keyboard.press("x")
    page.wait_for_function("() => !document.fullscreenElement")
    page.keyboard.press("x")
    page.wait_for_function("() => document.fullscreenElement")


@pytest.mark.long
def test_somebody_who_comes_with_tab_keeps_the_keys_of_the_control(workspace):
    page = workspace()
    page.locator(HARMLESSNESS).click()
    tab_to(page, "[data-speed]")
    page.keyboard.press("2")
    expect(page.locator("[data-speed]")).to_have_value("2")
    expect(page.locator("[data-speed]")).to_be_focused()
    expect(page.locator("[data-answers] input:checked")).to_have_count(0)
    tab_to(page, '[data-action="help"]')
    page.keyboard.press("Space")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator('[data-action="help"]')).to_be_focused()


@pytest.mark.long
def test_yes_and_no_by_key_never_put_the_focus_on_an_answer(workspace):
    page = workspace(tag_format="yes_no")
    page.locator(HARMLESSNESS).click()
    page.keyboard.press("y")
    expect(page.locator('[data-step="tags-left"] [data-tag]').nth(1)).to_be_focused()
    play_with_space(page)
    expect(page.locator("[data-answers] input:checked")).to_have_count(1)


@pytest.mark.long
def test_a_second_look_takes_keys_at_once(workspace):
    page = workspace(second_look=True)
    shown = current(page)
    play_with_space(page)
    gate_is_open(page, "right")
    for key in "fjfjf1]nf":  # the video with a harm is said to be the safer one
        page.keyboard.press(key)
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-revising]")).to_be_visible()
    first = page.locator('[data-step="tags-left"]')
    expect(first).to_be_focused()
    ticked = first.locator("input:checked")
    before = ticked.evaluate_all("inputs => inputs.map(input => input.value)")
    page.keyboard.press("2")
    assert ticked.evaluate_all("inputs => inputs.map(input => input.value)") != before
    page.keyboard.press("b")  # leaves the answer as it was stored
    expect(page.locator(f'body[data-assignment="{shown.pk}"]')).to_have_count(0)
    expect(question_at_hand(page)).to_be_focused()
    assert Annotation.objects.get(assignment=shown).harmlessness == video_on(shown, "left")


@pytest.mark.long
def test_a_panel_in_place_of_a_pair_is_operated_by_enter_only(workspace):
    page = workspace(pairs=1)
    answer_by_key(page)
    page.keyboard.press("Control+Enter")
    panel = page.locator('[data-empty][data-reason="finished"]')
    expect(panel).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("s")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Enter")
    page.wait_for_url("**/?all=1")


@pytest.mark.long
def test_the_welcome_is_not_closed_by_space(workspace):
    page = workspace(first_run=True)
    page.keyboard.press("Space")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    play_with_space(page)


@pytest.mark.long
@pytest.mark.parametrize("tag_format", ["check_all", pytest.param("yes_no", marks=pytest.mark.long)])
def test_submitting_too_soon_leads_to_the_first_missing_answer(workspace, tag_format):
    page = workspace(tag_format=tag_format)
    page.locator(HARMLESSNESS).click()
    page.keyboard.press("Control+Enter")
    first = page.locator("[data-questions] [data-step]").first
    expect(page.locator(HELPFULNESS)).to_have_attribute("aria-selected", "true")
    expect(first).to_be_focused()
    expect(first).to_have_attribute("data-missing", "")
    expect(page.locator("[data-passing]")).to_contain_text(first.locator("legend").inner_text().strip())
    page.keyboard.press("f")
    expect(page.locator(MISSING)).to_have_count(0)
    expect(page.locator("[data-passing]")).not_to_contain_text("Not submitted")
    for key in "fff":  # the other three questions; the overall one is not answered
        page.keyboard.press(key)
    page.locator(HARMLESSNESS).click()
    page.locator(SUBMIT).click(force=True)  # it is marked as disabled and says why when it is pressed
    expect(page.locator('[data-step="helpfulness"]')).to_have_attribute("data-missing", "")
    expect(page.locator('[data-step="helpfulness"]')).to_be_focused()
    page.keyboard.press("f")
    page.locator(HELPFULNESS).click()
    page.keyboard.press("Control+Enter")
    expect(page.locator(HARMLESSNESS)).to_have_attribute("aria-selected", "true")
    left = page.locator('[data-step="tags-left"]')
    expect(left if tag_format == "check_all" else left.locator("[data-tag]").first).to_have_attribute(
        "data-missing", ""
    )
    page.keyboard.press("1")
    expect(page.locator(MISSING)).to_have_count(0)


@pytest.mark.long
def test_submitting_before_a_video_was_watched_leads_to_the_videos(workspace):
    page = workspace(require_seen_through=True)
    answer_everything = "fjfjf1]1]f"
    for key in answer_everything:
        page.keyboard.press(key)
    page.keyboard.press("Control+Enter")
    expect(page.locator(f".screen{MISSING}")).to_have_count(2)
    expect(page.locator("[data-passing]")).to_contain_text("Watch both videos to the end")
    assert not Annotation.objects.exists()


WRONG_CLOCK = "const right = Date.now; Date.now = () => right() + 30 * 3600_000;"
NO_STORAGE = "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); };"


@pytest.mark.long
def test_standing_warnings_never_hide_that_an_answer_was_saved(workspace):
    page = workspace(before=WRONG_CLOCK + NO_STORAGE)
    standing, passing = page.locator("[data-standing]"), page.locator("[data-passing]")
    for words in ("clock of your computer is off by 30 hours", "blocks storage"):
        expect(standing).to_contain_text(words)
    page.context.set_offline(True)
    answer_by_key(page)
    page.keyboard.press("Control+Enter")
    expect(standing).to_contain_text("You are offline")
    page.context.set_offline(False)
    page.keyboard.press("Shift+Enter")  # “Try now”
    expect(passing).to_have_text("Answer saved ✓")
    expect(passing).to_be_in_viewport(ratio=1)
    expect(standing).not_to_contain_text("You are offline")
    for words in ("clock of your computer is off by 30 hours", "blocks storage"):
        expect(standing).to_contain_text(words)
    page.keyboard.press("f")  # the draft is saved at once
    page.wait_for_timeout(1500)
    expect(passing).to_have_text("Answer saved ✓")


@pytest.mark.long
def test_sound_speed_and_loop_last_over_pairs_and_reloads(workspace):
    page = workspace()
    page.keyboard.press("v")
    page.keyboard.press("Shift+V")
    page.keyboard.press("Shift+V")
    page.keyboard.press("m")
    page.keyboard.press("o")

    def stays():
        expect(page.locator("[data-speed]")).to_have_value("0.5")
        expect(page.locator("[data-sound]")).to_have_value("left")
        expect(page.get_by_role("button", name="Loop")).to_have_attribute("aria-pressed", "false")
        assert page.locator("video[data-active]").evaluate_all(
            "all => all.map(each => [each.muted, each.playbackRate])"
        ) == [
            [False, 0.5],
            [True, 0.5],
        ]

    stays()
    shown = current(page)
    answer_by_key(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator(f'body[data-assignment="{shown.pk}"]')).to_have_count(0)
    stays()
    wait_for(Annotation.objects.exists, "nothing was stored")
    page.reload()
    is_ready(page)
    stays()
    page.keyboard.press("Escape")
    expect(page.locator("[data-sound]")).to_have_value("off")
    page.keyboard.press("Escape")
    stays()


@pytest.mark.long
def test_the_sound_of_a_filtered_video_waits_until_it_is_revealed(open_page, playable_pairs):
    study = factories.study(media_filter="blur")
    person = factories.member(study, "annotator")
    playable_pairs(study, 1, may_show=["violence"])
    page = open_page("/accounts/password/", person)
    page.evaluate(f"localStorage.setItem('diptych:{person.pk}:settings', JSON.stringify({{ sound: 'left' }}))")
    page.goto(f"/studies/{study.slug}/workspace/")
    is_ready(page)
    muted = "() => document.querySelector('video[data-active][data-side=left]').muted"
    assert page.evaluate(muted)
    page.get_by_role("button", name="Reveal left").press("Enter")
    assert not page.evaluate(muted)
    expect(page.locator('[data-screen="left"]')).to_be_focused()
    expect(page.locator("[data-sound]")).to_have_value("left")


@pytest.mark.long
def test_the_players_of_the_library_follow_the_same_rules(open_page, playable_pairs):
    study = factories.study(media_filter="blur")
    [pair] = playable_pairs(study, 1, may_show=["violence"])
    person = factories.member(study, "researcher")
    base = f"/studies/{study.slug}/library/"
    page = open_page(f"{base}pairs/{pair.public_id}/", person)
    page.wait_for_function(READY)
    page.get_by_role("button", name="Loop").click()
    play_with_space(page)
    page.keyboard.press("v")
    expect(page.locator("[data-speed]")).to_have_value("1.5")
    page.keyboard.press("x")
    page.wait_for_function("() => document.fullscreenElement")
    expect(page.get_by_text(pair.prompt.text).first).to_be_in_viewport(ratio=1)
    for video in page.locator("video[data-active]").all():
        expect(video).to_be_in_viewport(ratio=1)
    page.reload()
    page.wait_for_function(READY)
    expect(page.locator("[data-speed]")).to_have_value("1.5")
    page.goto(f"{base}videos/{pair.video_0.public_id}/")
    page.get_by_role("button", name="Reveal").click()
    page.keyboard.press("Escape")
    page.keyboard.press("Space")  # does not reveal anything by mistake
    expect(page.locator("[data-veil-strip]")).to_be_visible()


PRESETS = {"middle": "fjt", "left-hand": "adt", "right-hand": "jlk"}


@pytest.mark.parametrize(
    "preset",
    ["middle", pytest.param("left-hand", marks=pytest.mark.long), pytest.param("right-hand", marks=pytest.mark.long)],
)
@pytest.mark.long
def test_every_control_has_a_key_that_is_free_in_each_preset(workspace, preset):
    page = workspace(allow_ties=True)
    page.evaluate("preset => document.querySelector('[data-setting=keys]').value = preset", preset)
    page.locator('[data-setting="keys"]').dispatch_event("change")
    for key in "vmohh":
        page.keyboard.press(key)
    expect(page.locator("[data-speed]")).to_have_value("1.5")
    expect(page.locator("[data-answers] input:checked")).to_have_count(0)
    for key, name in (("s", "skip"), ("z", "talk"), ("?", "help"), ("Shift+L", "report")):
        page.keyboard.press(key)
        expect(page.locator(f'[data-dialog="{name}"]')).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    for key, question in zip(PRESETS[preset], range(3), strict=True):
        page.keyboard.press(key)
        value = ("left", "right", "tie")[question]
        expect(page.locator("[data-questions] [data-step]").nth(question).locator(f'[value="{value}"]')).to_be_checked()
    page.keyboard.press("Shift+Backspace")  # goes to the pair before, and removes no answer
    assert page.locator("[data-questions] input:checked").count() == len(QUESTIONS) - 1
