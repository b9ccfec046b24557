"""Every state of the workspace that docs/screenshots/states shows, in English and Chinese: `make screenshots`.

Each function produces one state as it arises in real use, and returns the page.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotation import serving
from annotation.models import Assignment, Dose, Seat
from catalog.models import Pair
from jobs import sweeps
from studies.models import Membership
from tests import factories
from tests.annotation.test_queue import offered
from tests.browser.conftest import cookies_of
from tests.browser.nothing_is_lost.conftest import answer_and_submit, end_session

pytestmark = pytest.mark.screenshots

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots" / "states"
LANGUAGES = {"en": "en", "zh": "zh-CN"}
TITLES = {"en": "Everyday scenes", "zh": "日常场景"}
Scene = Callable[["Stage"], Any]
SCENES: dict[str, Scene] = {}


def scene(make: Scene) -> Scene:
    SCENES[make.__name__] = make
    return make


class Stage:
    """A study, its annotator, and a function that opens their page."""

    def __init__(self, language: str, study: Any, open_page: Any, playable_pairs: Any, server: str) -> None:
        self.language, self.study, self.open_page, self.server = language, study, open_page, server
        self.make_pairs = playable_pairs
        self.person = factories.member(study, "annotator", username="annotator-7")
        sweeps.stamp("media.tasks.resend_waiting_media")  # as if a worker were running

    def pairs(self, count: int = 3, **values: Any) -> list[Pair]:
        return self.make_pairs(self.study, count, **values)

    def change(self, **values: Any) -> None:
        type(self.study).objects.filter(pk=self.study.pk).update(**values)
        self.study.refresh_from_db()

    def page(self, path: str = "", **options: Any) -> Any:
        return self.open_page(
            path or f"/studies/{self.study.slug}/workspace/", self.person, locale=self.locale, **options
        )

    @property
    def locale(self) -> str:
        return LANGUAGES[self.language]

    def panel(self, reason: str, page: Any = None) -> Any:
        page = page or self.page()
        expect(page.locator(f'[data-empty][data-reason="{reason}"]')).to_be_visible()
        return page

    def at_work(self, **options: Any) -> Any:
        page = self.page(**options)
        expect(page.locator("body[data-assignment]")).to_be_visible()
        page.wait_for_function("() => [...document.querySelectorAll('video')].every(video => video.readyState >= 2)")
        return page


@scene
def no_study(stage: Stage) -> Any:
    nobody = factories.person(username="annotator-8")
    return stage.open_page("/?all=1", nobody, locale=stage.locale)


@scene
def first_run(stage: Stage) -> Any:
    stage.pairs()
    page = stage.page(first_run=True)
    expect(page.locator("dialog[open]")).to_be_visible()
    return page


@scene
def at_work(stage: Stage) -> Any:
    stage.pairs()
    return stage.at_work()


@scene
def may_show_harm(stage: Stage) -> Any:
    stage.pairs(may_show=["violence"])
    stage.change(media_filter="blur")
    return stage.at_work()


@scene
def finished(stage: Stage) -> Any:
    return stage.panel("finished")


@scene
def all_leased(stage: Stage) -> Any:
    stage.pairs(2)
    serving.lease(factories.member(stage.study, "annotator"), stage.study)
    return stage.panel("all_leased")


@scene
def paused(stage: Stage) -> Any:
    stage.change(state="paused")
    return stage.panel("paused")


@scene
def closed(stage: Stage) -> Any:
    stage.change(state="closed")
    return stage.panel("closed")


@scene
def cap(stage: Stage) -> Any:
    stage.pairs(may_show=["violence"])
    Dose.objects.create(person=stage.person, day=timezone.now().date(), seconds=10_000)
    return stage.panel("cap")


@scene
def break_due(stage: Stage) -> Any:
    stage.pairs()
    Seat.objects.update(since_break_ms=51 * 60_000, worked_until=timezone.now())
    return stage.panel("break")


@scene
def guideline_changed(stage: Stage) -> Any:
    stage.pairs()
    stage.change(guideline_version=2)
    return stage.panel("guideline")


@scene
def qualification(stage: Stage) -> Any:
    stage.change(qualification_required=True)
    page = stage.page()
    expect(page.get_by_role("heading", level=2).first).to_be_visible()
    return page


@scene
def suspended(stage: Stage) -> Any:
    Seat.objects.update(suspended_at=timezone.now())
    return stage.panel("suspended")


@scene
def work_paused(stage: Stage) -> Any:
    Seat.objects.update(paused_at=timezone.now())
    return stage.panel("work_paused")


@scene
def share(stage: Stage) -> Any:
    stage.pairs()
    stage.change(share_cap=0.5)
    Seat.objects.update(served=50)
    return stage.panel("share")


@scene
def excluded(stage: Stage) -> Any:
    stage.pairs(may_show=["violence"])
    Seat.objects.update(excluded=["violence"])
    return stage.panel("excluded")


@scene
def consent(stage: Stage) -> Any:
    newcomer = factories.person(username="annotator-6")
    Membership.objects.create(study=stage.study, person=newcomer, role="annotator")
    return stage.open_page(f"/studies/{stage.study.slug}/workspace/", newcomer, locale=stage.locale)


@scene
def clip_failed(stage: Stage) -> Any:
    stage.pairs()
    page = stage.page("/accounts/password/")
    page.route(re.compile(r"/media/.*\.mp4"), lambda route: route.fulfill(status=404))
    page.goto(f"/studies/{stage.study.slug}/workspace/")
    expect(page.locator('[data-failed="left"]')).to_be_visible()
    expect(page.locator('[data-failed="right"]')).to_be_visible()
    return page


@scene
def identical_clips(stage: Stage) -> Any:
    for pair in stage.pairs():
        type(pair.video_1).objects.filter(pk=pair.video_1_id).update(asset=pair.video_0.asset)
    return stage.at_work()


@scene
def hidden(stage: Stage) -> Any:
    stage.pairs()
    page = stage.at_work()
    page.keyboard.press("Escape")
    return page


@scene
def offline(stage: Stage) -> Any:
    stage.pairs(2)
    page = stage.at_work()
    page.context.set_offline(True)
    answer_and_submit(page)
    expect(page.locator("body[data-assignment]")).to_be_visible()
    answer_and_submit(page)
    return stage.panel("offline", page)


@scene
def offline_at_work(stage: Stage) -> Any:
    stage.pairs()
    page = stage.at_work()
    page.context.set_offline(True)
    answer_and_submit(page)
    expect(page.locator('[data-status] [data-kind="warn"]')).to_be_visible()
    return page


@scene
def taken_over(stage: Stage) -> Any:
    stage.pairs()
    page = stage.at_work()
    page.context.new_page().goto(page.url)
    return stage.panel("taken_over", page)


@scene
def signed_in_as_someone_else(stage: Stage) -> Any:
    stage.pairs()
    page = stage.at_work()
    other = factories.member(stage.study, "annotator", username="annotator-9")
    page.context.add_cookies(cookies_of(other, stage.server))
    page.context.new_page().goto("/accounts/password/")
    return stage.panel("somebody_else", page)


@scene
def session_expired(stage: Stage) -> Any:
    stage.pairs()
    page = stage.at_work()
    end_session()
    answer_and_submit(page)
    page.locator("[data-status-ways] button").click()
    expect(page.locator("dialog[open]")).to_be_visible()
    return page


@scene
def storage_refused(stage: Stage) -> Any:
    stage.pairs()
    page = stage.page("/accounts/password/")
    page.add_init_script("IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); }")
    page.goto(f"/studies/{stage.study.slug}/workspace/")
    expect(page.locator('[data-status] [data-kind="warn"]')).to_be_visible()
    return page


@scene
def clock_wrong(stage: Stage) -> Any:
    stage.pairs()
    page = stage.page("/accounts/password/")
    page.add_init_script("const right = Date.now; Date.now = () => right() + 3 * 3600_000")
    page.goto(f"/studies/{stage.study.slug}/workspace/")
    expect(page.locator("[data-status]")).not_to_be_empty()
    return page


@scene
def sound_blocked(stage: Stage) -> Any:
    stage.pairs()
    page = stage.page("/accounts/password/")
    page.add_init_script(
        "HTMLMediaElement.prototype.play = () => Promise.reject(new DOMException('blocked', 'NotAllowedError'))"
    )
    page.goto(f"/studies/{stage.study.slug}/workspace/")
    expect(page.locator("body[data-assignment]")).to_be_visible()
    page.wait_for_function("() => [...document.querySelectorAll('video')].every(video => video.readyState >= 2)")
    page.locator('[data-action="play"]').click()
    expect(page.locator('[data-status] [data-kind="warn"]')).to_be_visible()
    return page


@scene
def returned(stage: Stage) -> Any:
    pair, *_ = stage.pairs()
    offered(stage.person, stage.study, pair)
    Assignment.objects.filter(state="leased").delete()
    Pair.objects.exclude(pk=pair.pk).update(open_slots=1)
    page = stage.at_work()
    expect(page.locator("[data-returned]")).to_be_visible()
    return page


@scene
def reporting(stage: Stage) -> Any:
    stage.pairs()
    page = stage.at_work()
    page.locator('[data-action="report-illegal"]').click()
    expect(page.locator("dialog[open]")).to_be_visible()
    return page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SCENES)
@pytest.mark.django_db(transaction=True)
def test_scene(name: str, language: str, open_page: Any, playable_pairs: Any, server: str) -> None:
    study = factories.study(
        title=TITLES[language], dimension_order="helpfulness_first", help_contact="wellbeing@example.org"
    )
    page = SCENES[name](Stage(language, study, open_page, playable_pairs, server))
    page.wait_for_timeout(300)
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=FOLDER / f"{name.replace('_', '-')}-{language}.png")
    page.context.set_offline(False)
    page.goto("about:blank")
