"""Every page: no accessibility violation, in both themes, wide and narrow.

Also the researcher's way to the data.
"""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from calibration import preparing
from charts import catalogue, files
from figures.overview import stored
from qualification.models import Attempt
from releases.filters import Filter
from studies.pseudonyms import pseudonym
from suspensions import suspending
from tests import factories
from tests.controls.made import control_of, results
from tests.figures import figuring
from tests.qualification import world as qualified
from tests.releases import releasing
from tests.training import registering, runs

#: A filter that shows the preview of a release.
CHOSEN_ANSWERS = "decisions=in_review&decisions=none&reviewed=any&formats=jsonl"
SIZES = {"wide": {"width": 1280, "height": 720}, "narrow": {"width": 420, "height": 800}}


@pytest.fixture
def workspace(open_page, study, playable_pairs):
    """Return a function that opens the workspace with two loaded videos."""
    playable_pairs(study, 1)

    def opened(**options):
        page = open_page(f"/studies/{study.slug}/workspace/", factories.member(study, "annotator"), **options)
        expect(page.locator("video[data-active]")).to_have_count(2)
        return page

    return opened


@pytest.fixture
def pages(study, playable_pairs):
    """Return the address and the person of every page, in its full and its empty state."""
    playable_pairs(study, 3)
    broken = factories.asset(state="failed", reason="The file is not a video that ffmpeg can read.")
    factories.video(factories.prompt(study), asset=broken)
    empty = factories.study()
    both = factories.member(study, "annotator")
    both.memberships.create(study=empty, role="researcher")
    annotator = factories.member(study, "annotator")
    answered = factories.member(study, "annotator")
    factories.answer(answered, study)
    checked = factories.study()
    playable_pairs(checked, 1)
    lot, reviewer = factories.lot_in_review(checked, has_pairs=True), factories.reviewer(checked)
    owner = factories.member(checked, "admin")
    control = control_of(checked, checked.pairs.get())
    results(control, factories.member(checked, "annotator"), [True] * 30 + [False] * 20)
    paused, of_study = factories.member(study, "annotator"), factories.member(study, "admin")
    factories.answer(paused, study)
    factories.pause(study, paused)
    choice = suspending.Choice("all")
    suspended = suspending.suspend(answered, study, choice, why="Random clicks.", actor=of_study)
    for kind in ("agreement", "annotators"):
        figuring.asked(checked, kind)
    drawn = files.ask(checked, catalogue.find(checked, "agreement", {}), "svg", actor=owner)
    code = pseudonym(checked, lot.items.get().assignment.person_id)
    draft, closed = (preparing.make(checked, topic, actor=owner) for topic in ("Next", "Last"))
    factories.closed_calibration(closed, reviewer, factories.reviewer(checked))
    formats = ["jsonl", "safesora", "videoreward"]
    wanted = Filter(decisions=("in_review", "none"))
    released, _later = (releasing.make(checked, filter=wanted, formats=formats) for _ in range(2))
    promoted = registering.promoted(released, owner, number=2)
    trained, failed = runs.done(released, owner), runs.failed(released, owner)
    in_release = released.items.first().annotation.assignment.pair.public_id
    factories.label(checked, pair=checked.pairs.first(), question="helpfulness", value="video_1", setting="8 frames")
    example = factories.study(slug="example", is_simulated=True)
    example.memberships.create(person=owner, role="researcher")
    told = factories.delivery(factories.endpoint(checked))
    refused = {"problem": "status", "response_status": 500, "excerpt": "No", "reason": "No.", "tries": 11}
    factories.delivery(told.endpoint, state="failed", finished_at=timezone.now(), tried_at=timezone.now(), **refused)
    off = factories.endpoint(checked, off_at=timezone.now(), off_because="failing")
    stored.ask(checked)
    stored.count(checked.pk)
    asking, asker, qualifying, version = qualified.half_way()
    failed, expecting = Attempt.objects.get(passed=False).person, qualified.item(version).pk
    return {
        "sign in": ("/accounts/sign-in/", None),
        "password": ("/accounts/password/", annotator),
        "home": ("/", both),
        "home of nobody": ("/", factories.person()),
        "workspace": (f"/studies/{study.slug}/workspace/", annotator),
        "workspace with nothing left": (f"/studies/{empty.slug}/workspace/", factories.member(empty, "annotator")),
        "my work": (f"/studies/{study.slug}/my-work/", answered),
        "my work of somebody new": (f"/studies/{study.slug}/my-work/", annotator),
        "dashboard": (f"/studies/{study.slug}/", factories.member(study, "researcher")),
        "progress of people": (f"/studies/{study.slug}/people/progress/", factories.member(study, "admin")),
        "a person's days": (f"/studies/{study.slug}/people/{answered.pk}/progress/", factories.member(study, "admin")),
        "dashboard of an empty study": (f"/studies/{empty.slug}/", both),
        "labels": (f"/studies/{checked.slug}/library/labels/", owner),
        "no labels": (f"/studies/{study.slug}/library/labels/", of_study),
        "releases": (f"/studies/{checked.slug}/releases/", owner),
        "example of the demo": (f"/studies/{example.slug}/example/", owner),
        "a release": (f"/studies/{checked.slug}/releases/{released.number}/", owner),
        "training runs": (f"/studies/{checked.slug}/training/", owner),
        "a training run": (f"/studies/{checked.slug}/training/{trained.pk}/", owner),
        "a failed training run": (f"/studies/{checked.slug}/training/{failed.pk}/", owner),
        "new training run": (f"/studies/{checked.slug}/training/new/", owner),
        "training rules": (f"/studies/{checked.slug}/training/rules/", owner),
        "new training rule": (f"/studies/{checked.slug}/training/rules/new/", owner),
        "a training rule": (f"/studies/{checked.slug}/training/rules/{runs.rule_of(checked, owner).pk}/", owner),
        "no training rules": (f"/studies/{study.slug}/training/rules/", factories.member(study, "researcher")),
        "no training runs": (f"/studies/{study.slug}/training/", factories.member(study, "researcher")),
        "records of a release": (f"/studies/{checked.slug}/releases/{released.number}/records/", owner),
        "a record of a release": (
            f"/studies/{checked.slug}/releases/{released.number}/records/{in_release}/",
            owner,
        ),
        "compared releases": (f"/studies/{checked.slug}/releases/{released.number}/compare/", owner),
        "data card": (f"/studies/{checked.slug}/releases/{released.number}/card/", owner),
        "figures of a release": (f"/studies/{checked.slug}/releases/{released.number}/figures/", owner),
        "new release": (f"/studies/{checked.slug}/releases/new/?{CHOSEN_ANSWERS}", owner),
        "withdrawing": (f"/studies/{checked.slug}/releases/withdraw/", owner),
        "no releases": (f"/studies/{study.slug}/releases/", factories.member(study, "researcher")),
        "models": (f"/studies/{checked.slug}/models/", owner),
        "no models": (f"/studies/{study.slug}/models/", factories.member(study, "researcher")),
        "generators compared": (f"/studies/{checked.slug}/models/generators/", owner),
        "family of models": (f"/studies/{checked.slug}/models/{promoted.family_id}/", owner),
        "model version": (f"/studies/{checked.slug}/models/{promoted.family_id}/2/", owner),
        "lots": (f"/studies/{checked.slug}/lots/", owner),
        "reviewers": (f"/studies/{checked.slug}/lots/reviewers/", owner),
        "a lot": (f"/studies/{checked.slug}/lots/{lot.number}/", owner),
        "decision about a lot": (f"/studies/{checked.slug}/lots/{lot.number}/decide/", owner),
        "calibrations": (f"/studies/{checked.slug}/calibrations/", owner),
        "draft of a calibration": (f"/studies/{checked.slug}/calibrations/{draft.number}/", owner),
        "closed calibration": (f"/studies/{checked.slug}/calibrations/{closed.number}/", owner),
        "quality": (f"/studies/{checked.slug}/quality/", owner),
        "waiting for review": (f"/studies/{checked.slug}/quality/waiting/", owner),
        "defects": (f"/studies/{checked.slug}/quality/defects/", owner),
        "qualification of somebody": (f"/studies/{asking.slug}/qualification/", qualifying),
        "result of somebody": (f"/studies/{asking.slug}/qualification/", failed),
        "work to qualify": (f"/studies/{asking.slug}/qualification/training/work/", qualifying),
        "qualification": (f"/studies/{asking.slug}/qualification/sets/", asker),
        "qualification without versions": (f"/studies/{checked.slug}/qualification/sets/", owner),
        "version of a test": (f"/studies/{asking.slug}/qualification/sets/test/1/", asker),
        "draft of a test": (f"/studies/{asking.slug}/qualification/sets/test/2/", asker),
        "what is expected": (f"/studies/{asking.slug}/qualification/sets/test/2/pairs/{expecting}/", asker),
        "qualification by person": (f"/studies/{asking.slug}/qualification/people/", asker),
        "qualification of a person": (f"/studies/{asking.slug}/qualification/people/{failed.pk}/", asker),
        "qualification by question": (f"/studies/{asking.slug}/qualification/questions/", asker),
        "answers of qualification": (f"/studies/{asking.slug}/qualification/answers/", asker),
        "reviews": (f"/studies/{checked.slug}/reviews/", reviewer),
        "review": (f"/studies/{checked.slug}/reviews/{lot.number}/secondary/", reviewer),
        "findings": (f"/studies/{checked.slug}/findings/", owner),
        "rules": (f"/studies/{checked.slug}/findings/rules/", owner),
        "controls": (f"/studies/{checked.slug}/controls/?preview=reencoded", owner),
        "results on controls": (f"/studies/{checked.slug}/controls/people/", owner),
        "single results on controls": (f"/studies/{checked.slug}/controls/results/", owner),
        "suspend": (f"/studies/{study.slug}/suspensions/new/{paused.pk}/?what=all", of_study),
        "suspensions": (f"/studies/{study.slug}/suspensions/", of_study),
        "suspension": (f"/studies/{study.slug}/suspensions/{suspended.pk}/", of_study),
        "pauses": (f"/studies/{study.slug}/pauses/", of_study),
        "webhooks": (f"/studies/{checked.slug}/webhooks/", owner),
        "webhooks of no endpoint": (f"/studies/{study.slug}/webhooks/", of_study),
        "a webhook endpoint": (f"/studies/{checked.slug}/webhooks/{told.endpoint_id}/", owner),
        "a webhook endpoint that is off": (f"/studies/{checked.slug}/webhooks/{off.pk}/", owner),
        "deleting a webhook endpoint": (f"/studies/{checked.slug}/webhooks/{off.pk}/delete/", owner),
        "reference of the API": ("/api/", owner),
        "pause rules": (f"/studies/{study.slug}/pauses/rules/", of_study),
        "agreement": (f"/studies/{checked.slug}/agreement/", owner),
        "agreement, not computed": (f"/studies/{study.slug}/agreement/", factories.member(study, "reviewer")),
        "pairs behind agreement": (f"/studies/{checked.slug}/agreement/pairs/", owner),
        "annotators": (f"/studies/{checked.slug}/annotators/", owner),
        "an annotator": (f"/studies/{checked.slug}/annotators/{code}/", owner),
        "answers of an annotator": (f"/studies/{checked.slug}/annotators/{code}/answers/", owner),
        "chart as a file": (f"/studies/{checked.slug}/charts/files/{drawn.pk}/", owner),
        "not found": ("/nowhere", annotator),
        "forbidden": (f"/studies/{study.slug}/", annotator),
    }


def visited(open_page, pages, size, scheme):
    """Open each page, and yield its name and the page in the browser."""
    opened = {}  # one browser context for each person: it keeps scripts and styles
    for name, (address, person) in pages.items():
        if person in opened:
            page = opened[person]
            page.goto(address)
        else:
            page = opened[person] = open_page(address, person, viewport=SIZES[size], color_scheme=scheme)
        if name == "workspace":
            expect(page.locator("video[data-active]")).to_have_count(2)
        if name == "workspace with nothing left":
            expect(page.locator("[data-empty]")).to_be_visible()
        yield name, page


def test_every_page_opens_without_an_error_and_none_scrolls_sideways(open_page, pages):
    for name, page in visited(open_page, pages, "narrow", "dark"):
        assert page.locator("h1").count() == 1, name
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES["narrow"]["width"], name


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_axe_finds_nothing_on_any_page_and_none_scrolls_sideways(open_page, pages, size, scheme):
    for name, page in visited(open_page, pages, size, scheme):
        found = Axe().run(page).response["violations"]
        assert [(name, v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"], name


@pytest.mark.long
def test_both_panels_and_every_dialog_of_the_workspace_pass_axe(workspace):
    page = workspace()
    page.locator('[data-tab="harmlessness"]').click()
    assert Axe().run(page).response["violations"] == []
    for action in ("skip", "help"):
        page.locator(f'[data-action="{action}"]').first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert Axe().run(page).response["violations"] == [], action
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator('[data-action="guideline"]').click()
    page.keyboard.press("i")
    expect(page.get_by_role("tooltip")).to_be_visible()
    assert Axe().run(page).response["violations"] == []


@pytest.mark.long
@pytest.mark.parametrize("dimension", ["helpfulness", "harmlessness"])
@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 720}, {"width": 1366, "height": 600}])
def test_a_dimension_fits_in_view_without_scrolling(workspace, viewport, dimension):
    page = workspace(viewport=viewport)
    page.locator(f'[data-tab="{dimension}"]').click()
    for element in ("left", "right"):
        box = page.locator(f"#q-{dimension}-{element}").bounding_box()
        assert box["y"] + box["height"] <= viewport["height"]
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


@pytest.mark.long
def test_on_a_tablet_the_tags_end_above_the_overall_question(workspace):
    page = workspace(viewport={"width": 1024, "height": 768}, has_touch=True)
    page.locator('[data-tab="harmlessness"]').click()
    tags = [tag.bounding_box() for tag in page.locator("#panel-harmlessness [data-tag]").all()]
    overall = page.locator('[data-step="harmlessness"]').bounding_box()
    assert max(tag["y"] + tag["height"] for tag in tags) <= overall["y"]


def test_left_and_right_are_mirror_images(workspace):
    page = workspace()
    for video in page.locator("video[data-active]").all():
        expect(video).to_be_visible()
    left, right = (page.locator(f'video[data-active][data-side="{side}"]').bounding_box() for side in ("left", "right"))
    assert (left["width"], left["height"], left["y"]) == (right["width"], right["height"], right["y"])
    assert left["x"] == pytest.approx(1280 - right["x"] - right["width"], abs=1)


def test_a_researcher_sees_the_progress_and_downloads_the_line_just_made(open_page, api, study, researcher):
    factories.pairs(study, 2)
    annotator = factories.member(study, "annotator")
    desk = api(annotator).post(f"/api/v1/studies/{study.slug}/assignments/").json()
    body = factories.body()
    api(annotator).post(f"/api/v1/assignments/{desk['current']['id']}/submit/", body, format="json")
    page = open_page("/", researcher)
    expect(page.locator("main")).to_contain_text("of 2 wanted")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download annotations (JSONL)").click()
    assert downloading.value.suggested_filename == f"{study.slug}-annotations.jsonl"
    [line] = downloading.value.path().read_text().splitlines()
    assert json.loads(line)["submission_id"] == body["submission_id"]
