"""The main task in a real Chromium: one pair by mouse, another by keyboard only, and their answers in the JSONL."""

import json
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from annotation.models import Annotation, Assignment
from tests import factories
from tests.browser.working import see_through
from tests.web import wait_for

HARMLESSNESS, HELPFULNESS = '[data-tab="harmlessness"]', '[data-tab="helpfulness"]'
SUBMIT = '[data-action="submit"]'


@pytest.fixture
def study(db):
    """Return a study with helpfulness first for everybody, so that tests know which panel they see."""
    return factories.study(dimension_order="helpfulness_first")


@pytest.fixture
def workspace(open_page, study, annotator, playable_pairs):
    """Return the page of an annotator who has two pairs to answer."""
    playable_pairs(study, 3)

    def open_it(person=annotator, **options):
        page = open_page(f"/studies/{study.slug}/workspace/", person, **options)
        expect(page.locator("body[data-assignment]")).to_be_visible()
        expect(page.locator("video[data-active]")).to_have_count(2)
        page.wait_for_function(
            "() => [...document.querySelectorAll('video[data-active]')].every(video => video.readyState >= 3)"
        )
        return page

    return open_it


def current(page):
    return Assignment.objects.get(pk=int(page.locator("body").get_attribute("data-assignment")))


def video_on(assignment, side):
    """Return the video that was shown on a side."""
    other = {"video_0": "video_1", "video_1": "video_0"}
    return assignment.left if side == "left" else other[assignment.left]


def choose(page, question, side):
    """Click what a person clicks: the label of the answer."""
    page.locator(f"label:has(#q-{question}-{side})").click()


def answer_by_mouse(page):
    for question, side in {
        "instruction_following": "left",
        "correctness": "right",
        "informativeness": "left",
        "aesthetics": "right",
        "helpfulness": "left",
    }.items():
        choose(page, question, side)
    page.locator(HARMLESSNESS).click()
    see_through(page)
    page.locator('label:has(input[name="none-left"])').click()
    page.locator('label:has(input[name="tags-right"][value="violence"])').click()
    page.locator('label:has(input[name="tags-right"][value="crime"])').click()
    choose(page, "harmlessness", "left")


def submit_and_wait(page):
    """Submit, and wait for the server's response: the page itself goes on before that."""
    before = page.locator("body").get_attribute("data-assignment")
    with page.expect_response("**/submit/"):
        page.locator(SUBMIT).click()
    expect(page.locator(f'body[data-assignment="{before}"]')).to_have_count(0)


def download(api, study, person):
    response = api(person).get(f"/api/v1/studies/{study.slug}/annotations.jsonl")
    return [json.loads(line) for line in response.getvalue().splitlines()]


def test_a_whole_pair_by_mouse_becomes_the_line_that_was_clicked(workspace, api, study, researcher):
    page = workspace()
    shown = current(page)
    answer_by_mouse(page)
    submit_and_wait(page)
    [line] = download(api, study, researcher)
    left, right = video_on(shown, "left"), video_on(shown, "right")
    assert line["helpfulness"] == {
        "instruction_following": left,
        "correctness": right,
        "informativeness": left,
        "aesthetics": right,
        "overall": left,
    }
    assert line["harmlessness"][left]["tags"] == []
    assert sorted(line["harmlessness"][right]["tags"]) == ["crime", "violence"]
    assert line["harmlessness"]["overall"] == left
    assert line["pair_id"] == shown.pair.public_id
    assert line["timings_ms"]["total_active"] > 0


@pytest.mark.long
def test_another_pair_by_keyboard_only(workspace, api, study, researcher):
    page = workspace()
    shown = current(page)
    for key in "fjfjf":  # four questions, then overall
        page.keyboard.press(key)
    expect(page.locator(HARMLESSNESS)).to_have_attribute("aria-selected", "true")
    watch_both(page)
    wait_for(lambda: none_of_these(page), "“None of these” did not open for the left video")
    page.keyboard.press("2")  # the second tag, for the right video
    move_on_from_tags(page)
    page.keyboard.press("f")
    expect(page.locator(SUBMIT)).to_be_enabled()
    before = page.locator("body").get_attribute("data-assignment")
    with page.expect_response("**/submit/"):
        page.keyboard.press("Control+Enter")
    expect(page.locator(f'body[data-assignment="{before}"]')).to_have_count(0)
    [line] = download(api, study, researcher)
    order = Annotation.objects.get().presentation
    left, right = video_on(shown, "left"), video_on(shown, "right")
    answered = [line["helpfulness"][key] for key in order["question_order"]]
    assert answered == [left, right, left, right]
    assert line["helpfulness"]["overall"] == left
    assert line["harmlessness"][left]["tags"] == []
    assert line["harmlessness"][right]["tags"] == [order["tag_order"][1]]
    assert line["harmlessness"]["overall"] == left


def none_of_these(page):
    """Press the key of “none of these”, which works when the outlined video has been watched to the end."""
    page.keyboard.press("n")
    return page.locator('input[name="none-left"]').is_checked()


def watch_both(page):
    """Play both videos to their end by key."""
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    page.wait_for_function(
        """() => [...document.querySelectorAll('video[data-active]')].every(video =>
             video.played.length && video.played.end(video.played.length - 1) > video.duration - 0.1)"""
    )


def move_on_from_tags(page):
    """Press Tab to leave the tag step for the overall question."""
    for _ in range(40):
        focused = page.evaluate("document.activeElement?.name || ''")
        if focused == "harmlessness":
            return
        page.keyboard.press("Tab")


@pytest.mark.long
def test_both_videos_really_advance_together(workspace):
    page = workspace()
    page.locator('[data-action="play"]').click()
    frames = page.evaluate(
        """() => Promise.all([...document.querySelectorAll('video[data-active]')].map(video => new Promise(done => {
             const seen = [];
             const look = (now, facts) => {
               seen.push(facts.mediaTime);
               seen.length < 8 ? video.requestVideoFrameCallback(look) : done(seen);
             };
             video.requestVideoFrameCallback(look);
           })))"""
    )
    assert len(frames) == 2
    for seen in frames:
        assert len(set(seen)) > 4
    assert abs(frames[0][-1] - frames[1][-1]) < 0.2


@pytest.mark.long
def test_pausing_stops_both_on_the_same_frame(workspace):
    page = workspace()
    page.locator('[data-action="play"]').click()
    page.wait_for_function("() => [...document.querySelectorAll('video[data-active]')].every(v => v.currentTime > 0.3)")
    page.locator('[data-action="play"]').click()
    page.wait_for_function(
        """() => { const [a, b] = document.querySelectorAll('video[data-active]');
                   return a.paused && b.paused && !a.seeking && !b.seeking
                       && Math.abs(a.currentTime - b.currentTime) < 0.02 }"""
    )


@pytest.mark.long
def test_stepping_moves_one_frame(workspace):
    page = workspace()
    page.evaluate("document.activeElement.blur()")
    now = "document.querySelector('video[data-active]').currentTime"
    positions = [page.evaluate(now)]
    for _ in range(4):
        page.keyboard.press(".")
        page.wait_for_function(
            """before => [...document.querySelectorAll('video[data-active]')].every(video =>
                 !video.seeking && video.readyState >= 2 && video.currentTime !== before)""",
            arg=positions[-1],
        )
        positions.append(page.evaluate(now))
    steps = [later - earlier for earlier, later in pairwise(positions[1:])]
    assert all(step == pytest.approx(1 / 24, abs=0.005) for step in steps), positions


@pytest.mark.long
def test_stage_two_is_locked_until_stage_one_is_complete(workspace):
    page = workspace()
    overall = page.locator("#q-helpfulness-left")
    expect(overall).to_be_disabled()
    for question in ("instruction_following", "correctness", "informativeness", "aesthetics"):
        choose(page, question, "left")
    expect(overall).to_be_enabled()


def test_a_draft_survives_a_reload(workspace, study):
    page = workspace()
    choose(page, "correctness", "right")
    expect(page.locator("[data-status]")).to_contain_text("aved")
    page.reload()
    expect(page.locator("video[data-active]")).to_have_count(2)
    expect(page.locator("#q-correctness-right")).to_be_checked()


@pytest.mark.long
def test_two_annotators_never_see_the_same_pair(workspace, study, playable_pairs):
    playable_pairs(study, 3)
    other = factories.member(study, "annotator")
    first, second = workspace(), workspace(other)
    shown = []
    for _ in range(2):
        for page in (first, second):
            shown.append(current(page).pair_id)
            answer_by_mouse(page)
            submit_and_wait(page)
    assert len(set(shown)) == 4


@pytest.mark.long
def test_an_annotator_who_signs_in_gets_from_the_first_page_to_the_end_of_the_study(
    open_page, study, annotator, playable_pairs
):
    playable_pairs(study, 2)
    page = open_page("/")
    page.get_by_label("Username").fill(annotator.username)
    page.get_by_label("Password").fill("a password of its own")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("dialog").get_by_role("button", name="Begin").click()
    for _ in range(2):
        expect(page.locator("video[data-active]")).to_have_count(2)
        answer_by_mouse(page)
        submit_and_wait(page)
    expect(page.locator('[data-empty][data-reason="finished"]')).to_be_visible()
    wait_for(lambda: Annotation.objects.count() == 2, "two answers were not stored")


@pytest.mark.long
def test_skipping_with_a_reason_brings_the_next_pair(workspace):
    page = workspace()
    before = current(page)
    page.locator('[data-action="skip"]').click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Cannot judge").check()
    with page.expect_response("**/skip/"):
        dialog.get_by_role("button", name="Skip").click()
    expect(page.locator(f'body[data-assignment="{before.pk}"]')).to_have_count(0)
    expect(page.locator("[data-status]")).to_contain_text("Skipped")
    before.refresh_from_db()
    assert (before.state, before.skip_reason) == ("skipped", "cannot_judge")


@pytest.mark.long
def test_a_submission_whose_response_was_lost_is_sent_again_and_stored_once(workspace):
    page = workspace()
    answer_by_mouse(page)
    lost = []

    def lose_the_first(route):
        if lost:
            return route.continue_()
        lost.append(route.fetch())  # the server stored it, and the browser gets no response
        return route.abort()

    page.route("**/submit/", lose_the_first)
    submit_and_wait(page)
    expect(page.locator("[data-status]")).to_contain_text("aved")
    assert len(lost) == 1
    assert Annotation.objects.count() == 1


@pytest.mark.long
def test_escape_hides_and_pauses_both_at_once(workspace):
    page = workspace()
    page.locator('[data-action="play"]').click()
    page.keyboard.press("Escape")
    assert page.evaluate("[...document.querySelectorAll('video[data-active]')].every(v => v.paused && v.muted)")
    for side in ("left", "right"):
        expect(page.locator(f'video[data-active][data-side="{side}"]')).not_to_be_visible()
