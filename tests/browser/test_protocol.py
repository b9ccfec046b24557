"""What a study can set about the questions, as the page asks them, and as it is stored in the database."""

import json

import pytest
from playwright.sync_api import expect

from accounts.models import AuditEvent
from annotation.models import Annotation, Standing
from tests import factories
from tests.browser.working import (
    HARMLESSNESS,
    PLAY,
    QUESTIONS,
    SUBMIT,
    answer_by_mouse,
    choose,
    current,
    is_ready,
    see_through,
    submit_and_wait,
    video_on,
)
from tests.web import wait_for


@pytest.fixture
def workspace(open_page, playable_pairs):
    """Return the page of an annotator of a study with these settings, who has a few pairs to answer."""

    def open_it(pairs=2, prepare=lambda pairs: None, first_run=False, viewport=None, **settings):
        study = factories.study(**{"dimension_order": "helpfulness_first"} | settings)
        prepare(playable_pairs(study, pairs))
        person = factories.member(study, "annotator")
        options = {"viewport": viewport} if viewport else {}
        return is_ready(open_page(f"/studies/{study.slug}/workspace/", person, first_run=first_run, **options))

    return open_it


@pytest.mark.long
class TestNoneOfThese:
    def test_by_mouse_none_of_these_unlocks_when_that_video_was_watched_and_says_so(self, workspace):
        page = workspace()
        page.locator(HARMLESSNESS).click()
        none = page.locator("#none-left")
        expect(none).to_have_attribute("aria-disabled", "true")
        expect(none).to_have_accessible_description("Watch to the end to unlock")
        page.locator("label:has(#none-left)").click(force=True)
        expect(page.locator("[data-status]")).to_contain_text("watch the video to the end")
        expect(none).not_to_be_checked()
        see_through(page)
        expect(page.locator("[data-status]")).not_to_contain_text("watch the video")
        page.locator("label:has(#none-left)").click()
        expect(none).to_be_checked()

    @pytest.mark.long
    def test_a_tag_can_be_set_before_the_video_has_ended(self, workspace):
        page = workspace()
        page.locator(HARMLESSNESS).click()
        page.locator('label:has(input[name="tags-left"][value="crime"])').click()
        expect(page.locator('input[name="tags-left"][value="crime"]')).to_be_checked()


@pytest.mark.long
class TestYesOrNo:
    @pytest.mark.parametrize("ties", [False, True])
    def test_everything_fits_at_the_usual_size(self, workspace, ties):
        page = workspace(tag_format="yes_no", allow_ties=ties)
        page.locator(HARMLESSNESS).click()
        for element in ("#q-harmlessness-left", '[data-step="tags-left"] [data-tag] >> nth=11'):
            box = page.locator(element).bounding_box()
            assert box["y"] + box["height"] <= 720
        panel = page.locator("[data-answers]")
        assert panel.evaluate("element => element.scrollHeight <= element.clientHeight")

    @pytest.mark.long
    def test_every_tag_is_asked_and_answered_by_key(self, workspace):
        page = workspace(tag_format="yes_no")
        shown = current(page)
        for question in (*QUESTIONS, "helpfulness"):
            choose(page, question, "left")
        expect(page.locator(HARMLESSNESS)).to_have_attribute("aria-selected", "true")
        see_through(page)
        page.locator('[data-step="tags-left"]').focus()
        for key in "nynnnnnnnnnn":
            page.keyboard.press(key)
        expect(page.locator('[data-step="tags-right"]')).to_be_focused()
        for key in "nnnnnnnnnnnn":
            page.keyboard.press(key)
        expect(page.locator('[data-step="harmlessness"]')).to_be_focused()
        page.keyboard.press("j")
        page.keyboard.press("Control+Enter")
        expect(page.locator(f'body[data-assignment="{shown.pk}"]')).to_have_count(0)
        annotation = wait_for(Annotation.objects.first, "nothing was stored")
        order = annotation.presentation["tag_order"]
        assert getattr(annotation, f"tags_{video_on(shown, 'left')}") == [order[1]]
        assert getattr(annotation, f"tags_{video_on(shown, 'right')}") == []
        assert annotation.presentation["tag_format"] == "yes_no"

    @pytest.mark.long
    def test_a_digit_goes_between_yes_and_no(self, workspace):
        page = workspace(tag_format="yes_no")
        page.locator(HARMLESSNESS).click()
        see_through(page)
        page.locator('[data-step="tags-left"]').focus()
        third = page.locator('[data-step="tags-left"] [data-tag]').nth(2)
        page.keyboard.press("3")
        expect(third.get_by_label("Yes")).to_be_checked()
        page.keyboard.press("3")
        expect(third.get_by_label("No")).to_be_checked()

    @pytest.mark.long
    def test_half_an_answer_survives_a_reload(self, workspace):
        page = workspace(tag_format="yes_no")
        page.locator(HARMLESSNESS).click()
        tags = page.locator('[data-step="tags-right"] [data-tag]')
        tags.nth(0).get_by_text("Yes").click()
        tags.nth(4).get_by_text("Yes").click()
        expect(page.locator("[data-status]")).to_contain_text("aved")
        is_ready_after = page.reload()
        assert is_ready_after.ok
        is_ready(page)
        expect(tags.nth(4).get_by_label("Yes")).to_be_checked()
        expect(page.locator('[data-step="tags-right"] input:checked')).to_have_count(2)


class TestSeenThrough:
    @pytest.mark.long
    def test_the_page_says_beforehand_what_the_server_requires(self, workspace):
        page = workspace(require_seen_through=True)
        expect(page.locator("[data-why-not]")).to_contain_text("Watch both videos to the end")
        for question in (*QUESTIONS, "helpfulness"):
            choose(page, question, "left")
        page.locator(HARMLESSNESS).click()
        for side in ("left", "right"):
            page.locator(f'label:has(input[name="tags-{side}"][value="crime"])').click()
        choose(page, "harmlessness", "left")
        expect(page.locator(SUBMIT)).to_have_attribute("aria-disabled", "true")
        page.keyboard.press("Control+Enter")
        assert Annotation.objects.count() == 0
        see_through(page)
        submit_and_wait(page)
        wait_for(Annotation.objects.first, "nothing was stored")


@pytest.mark.long
class TestTies:
    @pytest.mark.long
    def test_a_tie_is_one_press_and_recorded_as_such(self, workspace):
        page = workspace(allow_ties=True)
        shown = current(page)
        answer_by_mouse(page)
        page.locator('[data-tab="helpfulness"]').click()
        page.locator("label:has(#q-aesthetics-tie)").click()
        submit_and_wait(page)
        annotation = wait_for(Annotation.objects.first, "nothing was stored")
        assert (annotation.assignment_id, annotation.aesthetics) == (shown.pk, "tie")

    def test_everything_fits_at_the_usual_size(self, workspace):
        page = workspace(allow_ties=True)
        panel = page.locator("[data-answers]")
        assert panel.evaluate("element => element.scrollHeight <= element.clientHeight")
        for question in QUESTIONS:
            row, tie = (page.locator(f'[data-step="{question}"]{part}').bounding_box() for part in ("", " .tie"))
            assert row["y"] <= tie["y"]
            assert tie["y"] + tie["height"] <= row["y"] + row["height"]


@pytest.mark.long
class TestVideoText:
    REFINED = "A bright red ball, seen from above, rolls past a painted mark " * 4

    def test_each_text_stands_under_its_video(self, workspace):
        def refine(pairs):
            video = pairs[0].video_0
            video.video_text, video.refined_by = self.REFINED, "a refiner"
            video.save()

        page = workspace(pairs=1, show_video_text=True, prepare=refine)
        shown = current(page)
        sides = {video_on(shown, side): side for side in ("left", "right")}
        refined = page.locator(f'[data-video-text="{sides["video_0"]}"]')
        expect(refined).to_contain_text("A bright red ball")
        expect(page.locator(f'[data-video-text="{sides["video_1"]}"]')).to_have_text("Made from the original prompt")
        left, right = (page.locator(f'[data-video-text="{side}"]').bounding_box() for side in ("left", "right"))
        assert (left["y"], left["height"], left["width"]) == (right["y"], right["height"], right["width"])
        before = refined.bounding_box()["height"]
        page.get_by_role("button", name="Show full prompt").click()
        assert refined.bounding_box()["height"] > before

    @pytest.mark.long
    def test_without_a_refined_text_nothing_is_said(self, workspace):
        page = workspace(pairs=1, show_video_text=True)
        expect(page.locator('[data-video-text="left"]')).to_be_hidden()


class TestSecondLook:
    def look(self, workspace, **settings):
        """Submit a contradictory answer. The page asks to look again."""
        page = workspace(pairs=3, second_look=True, **settings)
        shown = current(page)
        answer_by_mouse(page, tagged="left", safer="left")
        page.locator(SUBMIT).click()
        expect(page.locator("[data-revising]")).to_contain_text("second look")
        return page, shown

    @pytest.mark.long
    def test_a_change_is_a_second_revision_and_the_first_stays(self, workspace):
        page, shown = self.look(workspace)
        first = Annotation.objects.get()
        choose(page, "harmlessness", "right")
        submit_and_wait(page)
        second = wait_for(lambda: Annotation.objects.filter(revision=2).first(), "no second revision")
        assert (second.assignment_id, second.reason) == (shown.pk, "second_look")
        assert first.harmlessness == video_on(shown, "left")
        assert second.harmlessness == video_on(shown, "right")
        assert second.viewing["cues"]["second_look"] == 1
        assert Standing.objects.get(assignment=shown).validity == "valid"

    @pytest.mark.long
    def test_keeping_the_answers_writes_no_revision_and_brings_the_next_pair(self, workspace):
        page, shown = self.look(workspace)
        choose(page, "harmlessness", "right")  # changes their mind
        page.get_by_role("button", name="Keep my answers").click()
        expect(page.locator(f'body[data-assignment="{shown.pk}"]')).to_have_count(0)
        expect(page.locator("[data-revising]")).to_be_hidden()
        assert Annotation.objects.count() == 1
        assert AuditEvent.objects.get(action="annotation.second_look").after == {"changed": False}

    @pytest.mark.long
    def test_where_nothing_is_asked_the_next_pair_follows(self, workspace):
        page = workspace(pairs=3, second_look=False)
        answer_by_mouse(page, tagged="left", safer="left")
        submit_and_wait(page)
        expect(page.locator("[data-revising]")).to_be_hidden()


@pytest.mark.long
class TestReopened:
    @pytest.mark.long
    def test_from_my_work_an_answer_is_changed_and_the_workspace_follows(self, workspace):
        page = workspace()
        shown = current(page)
        answer_by_mouse(page)
        submit_and_wait(page)
        wait_for(Annotation.objects.exists, "nothing was stored")
        page.locator("[data-menu] summary").click()
        page.get_by_role("link", name="My work").click()
        page.get_by_role("link", name="Change").click()
        is_ready(page)
        expect(page.locator("[data-revising]")).to_contain_text("You are changing the answer that you gave at")
        assert current(page) == shown
        expect(page.locator("#q-instruction_following-left")).to_be_checked()
        choose(page, "helpfulness", "right")
        submit_and_wait(page)
        revision = wait_for(lambda: Annotation.objects.filter(revision=2).first(), "no second revision")
        assert (revision.reason, revision.helpfulness) == ("reopened", video_on(shown, "right"))
        assert "reopen" not in page.url

    @pytest.mark.long
    def test_an_unchanged_answer_is_not_written(self, workspace):
        page = workspace()
        shown = current(page)
        answer_by_mouse(page)
        submit_and_wait(page)
        wait_for(Annotation.objects.exists, "nothing was stored")
        page.goto(f"{page.url}?reopen={shown.pk}")
        is_ready(page)
        choose(page, "helpfulness", "right")
        page.get_by_role("button", name="Leave it unchanged").click()
        expect(page.locator(f'body[data-assignment="{shown.pk}"]')).to_have_count(0)
        assert Annotation.objects.count() == 1

    @pytest.mark.long
    def test_the_last_message_leaves_with_its_pair_and_an_unchanged_save_says_so(self, workspace):
        page = workspace()
        answer_by_mouse(page)
        submit_and_wait(page)
        wait_for(Annotation.objects.exists, "nothing was stored")
        page.keyboard.press("f")
        page.keyboard.press("Backspace")
        expect(page.locator("[data-passing]")).to_have_text("Last answer undone.")
        page.keyboard.press("Shift+Backspace")
        expect(page.locator("[data-revising]")).to_contain_text("You are changing the answer that you gave at")
        expect(page.locator("[data-passing]")).not_to_have_text("Last answer undone.")
        page.keyboard.press("Control+Enter")
        expect(page.locator("[data-passing]")).to_have_text("Saved ✓ Your answer is unchanged.")
        assert Annotation.objects.count() == 1

    def test_what_cannot_be_changed_says_so_and_the_work_goes_on(self, workspace):
        page = workspace()
        before = current(page)
        page.goto(f"{page.url}?reopen={before.pk}")  # not answered at all
        is_ready(page)
        expect(page.locator("[data-revising]")).to_be_hidden()
        assert current(page) == before


class TestRecorded:
    @pytest.mark.long
    def test_what_stood_around_the_videos_is_stored_with_the_answer(self, workspace):
        page = workspace()
        page.locator(SUBMIT).click(force=True)  # too soon, and the page says so
        answer_by_mouse(page)
        submit_and_wait(page)
        annotation = wait_for(Annotation.objects.first, "nothing was stored")
        presentation = annotation.viewing["presentation"]
        assert presentation["viewport"] == [1280, 720]
        assert presentation["theme"] == "dark"
        assert (presentation["language"], presentation["keys"], presentation["advance"]) == ("en", "middle", True)
        assert annotation.viewing["cues"]["not_ready"] == 1
        assert len(json.dumps(annotation.viewing)) < 2000


@pytest.mark.long
class TestFirstRun:
    def test_somebody_new_is_told_once_what_is_asked(self, workspace):
        page = workspace(first_run=True)
        sheet = page.get_by_role("dialog", name="Two videos, two judgements")
        expect(sheet).to_be_visible()
        page.keyboard.press("Enter")  # on “Begin”
        expect(sheet).to_have_count(0)
        page.reload()
        is_ready(page)
        expect(page.get_by_role("dialog")).to_have_count(0)

    @pytest.mark.long
    def test_somebody_who_has_answered_is_not(self, open_page, study, annotator, playable_pairs):
        playable_pairs(study, 2)
        factories.answer(annotator, study)
        page = is_ready(open_page(f"/studies/{study.slug}/workspace/", annotator, first_run=True))
        expect(page.locator(PLAY)).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)
