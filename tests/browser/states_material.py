"""Every state of the library and of imports, in English and Chinese: `make screenshots`."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from catalog.models import Pair, PairsChange
from media.models import Asset
from media.notes import SOUND_DAMAGED
from media.transcode import Renditions
from sources.name_encodings import CHOOSE, QUESTION
from sources.sentences import Sentence, stored
from studies.models import Study
from tests import factories
from tests.browser.stage import Stage, gallery, picture, scene, taken

__all__ = ["gallery"]

pytestmark = pytest.mark.screenshots


# --- The library ----------------------------------------------------------------------------------------


@scene
def library_prompts(stage: Stage) -> Any:
    stage.material()
    return stage.page("library/")


@scene
def library_videos(stage: Stage) -> Any:
    pairs = stage.material()
    failed = factories.asset(state="failed", reason="The file has no picture, only sound.")
    factories.video(pairs[0].prompt, asset=failed, generator="lavfi-shapes", generator_version="3")
    factories.video(pairs[1].prompt, asset=factories.asset(state="waiting"), generator="lavfi-shapes")
    Asset.objects.filter(pk=pairs[-1].video_1.asset_id).update(facts={"notes": [SOUND_DAMAGED]})
    return stage.page("library/videos/")


@scene
def library_pairs(stage: Stage) -> Any:
    pairs = stage.material()
    Pair.objects.filter(pk=pairs[1].pk).update(held="The right clip is cut off too soon.")
    Pair.objects.filter(pk=pairs[3].pk).update(open_slots=0)
    Pair.objects.filter(pk=pairs[4].pk).update(ready=False)
    page = stage.page("library/pairs/?kind=real")
    for number in (1, 3):
        page.locator("[data-choose]").nth(number).check()
    return page


@scene
def library_labels(stage: Stage) -> Any:
    judge = {"labeller": "judge-model", "labeller_version": "2026-05", "setting": "8 frames"}
    for number, one in enumerate(stage.material()):
        said = ("video_0", "tie", "video_1")[number % 3]
        factories.label(stage.study, pair=one, question="helpfulness", value=said, **judge)
        score = {"question": "clip_score", "labeller": "clip-vit-l"}
        factories.label(stage.study, video=one.video_0, value=0.312 + number / 50, **score)
        refuses = number == 2
        about = {"question": "violence", "labeller": "prompt-labeller", "refused": refuses}
        factories.label(stage.study, prompt=one.prompt, value=None if refuses else number % 2 > 0, **about)
    page = stage.page("library/labels/")
    page.locator(".label-counts summary").click()
    return page


@scene
def library_labels_none(stage: Stage) -> Any:
    return stage.page("library/labels/")


@scene
def library_nothing_passes(stage: Stage) -> Any:
    stage.material()
    return stage.page("library/?q=a+green+elephant")


@scene
def library_filter_refused(stage: Stage) -> Any:
    stage.material()
    return stage.page("library/videos/?q=xyz")


@scene
def library_empty(stage: Stage) -> Any:
    return stage.page("library/")


@scene
def prompt(stage: Stage) -> Any:
    return stage.page(f"library/prompts/{stage.material()[1].prompt.public_id}/")


@scene
def video(stage: Stage) -> Any:
    return stage.page(f"library/videos/{stage.material()[1].video_0.public_id}/")


@scene
def video_may_show_harm(stage: Stage) -> Any:
    Study.objects.filter(pk=stage.study.pk).update(media_filter="blur")
    return stage.page(f"library/videos/{stage.material()[5].video_0.public_id}/")


@scene
def video_failed(stage: Stage) -> Any:
    failed = factories.asset(state="failed", reason="The file has no picture, only sound.", byte_size=48_213)
    broken = factories.video(stage.material()[0].prompt, asset=failed, generator="lavfi-shapes", generator_version="3")
    return stage.page(f"library/videos/{broken.public_id}/")


def with_videos(page: Any) -> Any:
    page.wait_for_function("() => [...document.querySelectorAll('video[data-active]')].every(v => v.readyState >= 2)")
    return page


@scene
def pair(stage: Stage) -> Any:
    return with_videos(stage.page(f"library/pairs/{stage.material()[2].public_id}/"))


@scene
def pair_held(stage: Stage) -> Any:
    chosen = stage.material()[1]
    page = stage.page(f"library/pairs/{chosen.public_id}/")
    page.locator("#reason").fill("The right clip is cut off too soon.")
    page.locator('button[value="hold"]').click()
    expect(page.locator(".held-because")).to_be_visible()
    return with_videos(page)


# --- Imports --------------------------------------------------------------------------------------------


@scene
def imports(stage: Stage) -> Any:
    now = timezone.now()
    uploaded = {"source": "upload", "location": ""}
    stage.job(state="cancelled", finished_at=now, created_at=now - timedelta(days=3), **uploaded)
    stage.job(state="failed", finished_at=now, reason="The bucket does not let this server read it.")
    stage.bad()
    stage.done()
    stage.done(options={"dry_run": True})
    running = {"heartbeat_at": now, "fence": 1, "stage": "Storing files", "steps": 1412, "steps_total": 4790}
    stage.job(state="running", **running)
    stage.job(state="collecting", log=[], **uploaded)
    return stage.page("imports/")


@scene
def imports_none(stage: Stage) -> Any:
    return stage.page("imports/")


@scene
def import_new(stage: Stage) -> Any:
    page = stage.page("imports/new/")
    page.locator('[name="source"][value="server"]').check()
    page.locator('[name="pairs"][value="random"]').check()
    return page


@scene
def import_uploading(stage: Stage) -> Any:
    page = stage.import_page(stage.job(state="collecting", source="upload", location="", log=[]))
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 600_000},
    )
    expect(page.locator("[data-drop]")).to_be_visible()
    files = [
        {"name": f"clip-{number:02}.mp4", "mimeType": "video/mp4", "buffer": b"0" * 900_000 * number}
        for number in range(1, 5)
    ]
    manifest = {"name": "manifest.jsonl", "mimeType": "text/plain", "buffer": b"{}\n" * 900}
    page.locator("#choose-files").set_input_files([manifest, *files])
    page.wait_for_function("() => document.querySelector('[data-files] li[data-state=here]')")
    return page


@scene
def import_lacking(stage: Stage) -> Any:
    job = stage.job(state="collecting", source="upload", location="", log=[])
    for number, received in enumerate((48_000_000, 48_000_000, 21_400_000), start=1):
        job.uploads.create(path=f"spring/p{number:03}/model-x.mp4", byte_size=48_000_000, received=received)
    page = stage.import_page(job)
    expect(page.locator("[data-files] li").first).to_be_visible()
    return page


@scene
def import_waiting(stage: Stage) -> Any:
    return stage.import_page(stage.job(log=[], options={"dry_run": True}))


@scene
def import_running(stage: Stage) -> Any:
    running = {"heartbeat_at": timezone.now(), "fence": 1, "stage": "Storing files", "steps": 1412, "steps_total": 4790}
    return stage.import_page(stage.job(state="running", **running))


@scene
def import_done(stage: Stage) -> Any:
    return stage.import_page(stage.done())


@scene
def import_dry_run(stage: Stage) -> Any:
    return stage.import_page(stage.done(options={"dry_run": True}))


@scene
def import_code_page(stage: Stage) -> Any:
    read = {"gbk": "“红球/prompt.txt”, “红球/模型甲.mp4”", "cp437": "“║∞╟≥/prompt.txt”, “║∞╟≥/─ú╨═╝╫.mp4”"}
    readings = f"GBK: {read['gbk']}; CP437: {read['cp437']}"
    reason = Sentence(QUESTION, **read, readings=readings, advice=Sentence(CHOOSE))
    log = [{"stage": "failed", "at": timezone.now().isoformat(), "reason": stored(reason)}]
    return stage.import_page(stage.job(state="failed", finished_at=timezone.now(), reason=str(reason), log=log))


@scene
def import_bad_rows(stage: Stage) -> Any:
    return stage.import_page(stage.bad())


@scene
def import_failed(stage: Stage) -> Any:
    reason = "The bucket s3://clips does not let this server read it. Give its key s3:ListBucket, then try again."
    return stage.import_page(stage.job(state="failed", finished_at=timezone.now(), reason=reason))


@scene
def media_progress(stage: Stage) -> Any:
    stage.material()
    now = timezone.now()
    ready = Asset.objects.filter(state="done").order_by("pk")
    for number, asset in enumerate(ready):
        Asset.objects.filter(pk=asset.pk).update(finished_at=now - timedelta(seconds=20 * number))
    about = factories.prompt(stage.study, text="A kettle begins to boil.")
    for _ in range(24):
        factories.video(about, asset=factories.asset(state="waiting"))
    failed = factories.asset(state="failed", reason="The file has no picture, only sound.")
    factories.video(about, asset=failed)
    return stage.page()


# --- Background jobs ------------------------------------------------------------------------------------


@scene
def jobs(stage: Stage) -> Any:
    """Make a job in every state: prepared, running, waiting after trouble, being cancelled, ended in each way."""
    stage.material()
    now = timezone.now()
    about = factories.prompt(stage.study, text="A kettle begins to boil.")
    for _ in range(5):
        factories.video(about, asset=factories.asset(state="waiting"))
    claimed = {"fence": 1, "heartbeat_at": now}
    stage.job(state="running", stage="Storing files", steps=2210, steps_total=4790, **claimed)
    full = {"reason": "No space left on device", "pauses": 2, "wait_until": now + timedelta(minutes=2)}
    stage.job(location="/srv/imports/summer", log=[], **full)
    stage.done(created_at=now - timedelta(hours=2))
    stage.job(
        state="failed",
        finished_at=now,
        created_at=now - timedelta(days=1),
        reason="The bucket does not let this server read it.",
    )
    ended = {"study": stage.study, "asked_by": stage.person, "until": 1, "what": "priority", "value": 5}
    for days, more in ((2, {"state": "done"}), (3, {"state": "cancelled"})):
        moment = now - timedelta(days=days)
        PairsChange.objects.create(
            **ended | more, steps=7000, steps_total=9000, changed=7000, created_at=moment, finished_at=moment
        )
    PairsChange.objects.create(
        **ended | {"what": "overlap", "value": 3}, state="running", steps=4000, steps_total=9000, **claimed
    )
    return stage.page("jobs/")


@scene
def jobs_none(stage: Stage) -> Any:
    return stage.page("jobs/")


@pytest.mark.parametrize(("name", "view", "language"), taken(__name__))
@pytest.mark.django_db(transaction=True)
def test_scene(name: str, view: str, language: str, open_page: Any, gallery: dict[str, list[Renditions]]) -> None:
    picture(name, view, language, open_page, gallery)
