"""Every state of the pages for who runs a study, in English and Chinese: `make screenshots`.

Each function brings one state about and answers the page. The pages that are used most are also taken narrow and dark.
"""

import io
from collections.abc import Callable
from datetime import timedelta
from itertools import chain, cycle
from pathlib import Path
from typing import Any

import pytest
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image
from playwright.sync_api import expect

from accounts.tokens import create_token
from annotation.reading import publish_guideline
from catalog.demo.clips import make_clip
from catalog.demo.prompts import PROMPTS
from catalog.demo.takes import takes
from catalog.documents.texts import shipped
from catalog.importing import jobs
from catalog.invitations import offer
from catalog.media import names
from catalog.media.transcode import Renditions, transcode
from catalog.memberships import join
from catalog.models import Asset, Import, Pair, Provenance, Study
from catalog.models.studies import Role
from catalog.running import configuring
from tests import factories
from tests.browser.states import LANGUAGES, TITLES

pytestmark = pytest.mark.screenshots

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots" / "running"
WIDE, NARROW = {"width": 1280, "height": 720}, {"width": 420, "height": 800}
VIEWS = {"": {}, "narrow": {"viewport": NARROW}, "dark": {"color_scheme": "dark"}}
#: Taken in every view, the dark one in English alone.
FOREMOST = {"settings_protocol", "people", "guideline_editor", "library_pairs", "pair", "import_done"}
#: A page that is longer is cut.
HIGHEST = 1100
#: Whose clips are made for the pictures; one of them may show harm.
SHOWN = ("p01", "p03", "p05", "p14", "p17", "p27")
#: How the guideline begins.
BEGINS = {"en": "Each pair is one prompt", "zh-hans": "每个视频对由一条提示词"}
Scene = Callable[["Stage"], Any]
SCENES: dict[str, Scene] = {}


def scene(make: Scene) -> Scene:
    SCENES[make.__name__] = make
    return make


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Renditions]]:
    """Two clips of each prompt that is shown, ready to be played."""
    folder = tmp_path_factory.mktemp("gallery")
    (folder / "clips").mkdir()
    made: dict[str, list[Renditions]] = {}
    for key in SHOWN:
        for take in [take for take in takes() if take.prompt == key and not take.broken][:2]:
            made.setdefault(key, []).append(transcode(make_clip(take, folder), folder / take.key))
    return made


class Stage:
    """A study, who runs it, and what opens their pages."""

    def __init__(self, language: str, study: Study, open_page: Any, gallery: dict[str, list[Renditions]]) -> None:
        self.language, self.study, self.open_page, self.gallery = language, study, open_page, gallery
        self.options: dict[str, Any] = {"locale": LANGUAGES[language]}
        self.person = factories.person(username="researcher", is_superuser=True)
        for role in (Role.ADMIN, Role.RESEARCHER):
            join(study, self.person, role)
        factories.officer()

    def page(self, path: str = "") -> Any:
        """A page of the study."""
        return self.open_page(f"/studies/{self.study.slug}/{path}", self.person, **self.options)

    def people(self) -> None:
        for role, count in (("annotator", 6), ("reviewer", 2)):
            for number in range(1, count + 1):
                factories.member(self.study, role, username=f"{role}-{number:02}")
        join(self.study, self.study.memberships.filter(role="reviewer")[0].person, "annotator")

    def material(self) -> list[Pair]:
        """Pairs of the gallery's clips in four batches, some of them answered, and what marks pairs can have."""
        texts = {one.key: one for one in PROMPTS}
        made = []
        for number, key in enumerate(self.gallery):
            told = texts[key]
            about = factories.prompt(
                self.study,
                text=told.text,
                prompt_type=told.prompt_type,
                source="researcher",
                source_detail="demo-prompts",
                split="test" if number == 1 else "train",
            )
            videos = [
                factories.video(
                    about,
                    asset=self.asset(clip),
                    generator="lavfi-shapes",
                    generator_version=version,
                    seed=7 + number,
                    settings={"steps": 50, "scale": 7.5},
                    licence="CC0-1.0",
                )
                for clip, version in zip(self.gallery[key], ("1", "2"), strict=True)
            ]
            made.append(
                factories.pair(
                    self.study,
                    prompt=about,
                    video_0=videos[0],
                    video_1=videos[1],
                    batch=factories.batch(self.study, number=1 + number // 2),
                    wanted=3 if number == 2 else 2,
                    in_sample=number == 2,
                    look_alike=number == 4,
                    may_show=["violence", "crime"] if key == "p27" else [],
                )
            )
        return made

    def asset(self, clip: Renditions) -> Asset:
        facts = clip.facts
        asset = factories.asset(
            duration_s=facts.duration_s,
            fps=facts.fps,
            byte_size=1_482_113,
            facts={"original": {"video_codec": "hevc", "width": 640, "height": 360, "fps": facts.fps}},
        )
        for stored, path in (
            (names.playback(asset.public_id), clip.playback),
            (names.poster(asset.public_id), clip.poster),
        ):
            with path.open("rb") as file:
                default_storage.save(stored, File(file))
        return asset

    def batches(self) -> None:
        """Five batches of plain pairs, the first of them done."""
        states = ("accepted", "in_review", "annotated", "open", "open")
        for number, (state, taken) in enumerate(zip(states, (2, 2, 2, 1, 0), strict=True), start=1):
            batch = factories.batch(self.study, number=number, state=state)
            for pair in factories.pairs(self.study, 8, batch=batch, wanted=2):
                Pair.objects.filter(pk=pair.pk).update(open_slots=2 - taken)
        Pair.objects.filter(pk=pair.pk).update(held="The two clips have different prompts.")

    def job(self, **values: Any) -> Import:
        """An import that somebody asked for some minutes ago."""
        now = timezone.now()
        begun = now - timedelta(minutes=6)
        stages = {"Reading rows": 0, "Finding files": 4, "Reading files": 9, "Keeping files": 190}
        log = [{"stage": stage, "at": (begun + timedelta(seconds=at)).isoformat()} for stage, at in stages.items()]
        common = {"study": self.study, "source": "server", "location": "/srv/imports/spring", "asked_by": self.person}
        return Import.objects.create(**common | {"log": log, "created_at": begun} | values)

    def done(self, **values: Any) -> Import:
        tallies = {
            "prompts": {"added": 1204, "already_there": 36},
            "videos": {"added": 4816, "already_there": 144},
            "assets": {"added": 4790, "already_there": 144},
            "pairs": {"added": 7224, "already_there": 216},
        }
        differing = [
            {"kind": "video", "id": "p0418-a", "file": "manifest.jsonl", "line": 1671, "fields": ["licence", "seed"]},
            {"kind": "prompt", "id": "p0777", "file": "manifest.jsonl", "line": 3102, "fields": ["language"]},
        ]
        report = tallies | {
            "imported": True,
            "batches_added": 73,
            "sampled": 1084,
            "splits": {"train": 1078, "test": 118, "excluded": 8},
            "differences": 2,
            "differing": differing,
            "warnings": [
                "26 video files are given by more than one video. Each is kept once.",
                "The splits or clusters of 8 prompts of the manifest were not taken over.",
            ],
        }
        finished = {"state": "done", "finished_at": timezone.now(), "started_at": timezone.now() - timedelta(minutes=5)}
        return self.job(**finished | {"report": report} | values)

    def bad(self) -> Import:
        job = self.job(state="refused", finished_at=timezone.now(), bad_rows=214, report={"imported": False})
        reasons = (
            ("path", "clips/p0031-b.mp4 does not exist."),
            ("prompt_type", "It must be safety_neutral or safety_critical, and is “neutral”."),
            ("seed", "It must be a whole number, and is “42a”."),
            ("", "This line is not JSON: it ends in the middle of a text."),
        )
        rows = (
            b'{"file": "manifest.jsonl", "line": %d, "field": "%s", "reason": "%s"}\n'
            % (line, field.encode(), reason.encode())
            for line, (field, reason) in zip(range(12, 12 + 31 * 214, 31), cycle(reasons), strict=False)
        )
        default_storage.save(jobs.bad_rows_file(job), ContentFile(b"".join(rows)))
        return job

    def import_page(self, job: Import) -> Any:
        return self.page(f"imports/{job.public_id}/")


# --- Studies and their settings -------------------------------------------------------------------------


@scene
def studies(stage: Stage) -> Any:
    for slug, title, state in (("night", "Night scenes", "paused"), ("pilot", "Pilot", "closed")):
        other = factories.study(slug=slug, title=title, state=state)
        for role in ("annotator", "reviewer") if slug == "night" else ("researcher",):
            join(other, stage.person, role)
    return stage.open_page("/?all=1", stage.person, **stage.options)


@scene
def new_study(stage: Stage) -> Any:
    return stage.open_page("/studies/new/", stage.person, **stage.options)


@scene
def new_study_refused(stage: Stage) -> Any:
    page = stage.open_page("/studies/new/", stage.person, **stage.options)
    page.locator("[name=slug]").fill("Everyday scenes!")
    page.locator("main .button.primary").click()
    expect(page.locator(".errorlist").first).to_be_visible()
    return page


@scene
def state(stage: Stage) -> Any:
    page = stage.page("settings/")
    for _ in range(2):
        page.locator("main .button.primary").click()
    return page


@scene
def settings_protocol(stage: Stage) -> Any:
    configuring.configure(
        stage.study, {"reopen_s": 6 * 3600}, made_from={"reopen_s": stage.study.reopen_s}, actor=stage.person
    )
    page = stage.page("settings/protocol/")
    page.locator("[name=allow_ties]").check()
    expect(page.locator("[data-makes-protocol]")).not_to_be_empty()
    return page


@scene
def settings_refused(stage: Stage) -> Any:
    page = stage.page("settings/serving/")
    page.locator("input[type=number]").first.fill("0")
    page.locator(".save .button").click()
    expect(page.locator(".setting.wrong").first).to_be_visible()
    return page


@scene
def settings_protection(stage: Stage) -> Any:
    return stage.page("settings/protection/")


@scene
def consent(stage: Stage) -> Any:
    return stage.page("settings/consent/")


@scene
def licences(stage: Stage) -> Any:
    stage.material()
    Provenance.objects.create(
        study=stage.study, kind="source", name="demo-prompts", licence="CC0-1.0", terms="Written for the demonstration."
    )
    page = stage.page("settings/licences/")
    page.locator(".origin summary").first.click()
    return page


@scene
def close(stage: Stage) -> Any:
    return stage.page("settings/close/")


# --- People and batches ---------------------------------------------------------------------------------


@scene
def people(stage: Stage) -> Any:
    stage.people()
    return stage.page("people/")


@scene
def person(stage: Stage) -> Any:
    stage.people()
    member = stage.study.memberships.filter(role="reviewer")[0]
    return stage.page(f"people/{member.person_id}/")


@scene
def invited(stage: Stage) -> Any:
    page = stage.page("people/")
    page.locator("#numbered_count").fill("4")
    page.locator("form:has(#numbered_count) .button").click()
    expect(page.locator(".secrets tbody tr")).to_have_count(4)
    return page


@scene
def invitations(stage: Stage) -> Any:
    """The home page of somebody who is invited, and has a new role in another study."""
    kim = factories.member(stage.study, "reviewer", username="kim")
    offer(factories.study(slug="night", title="Night scenes"), kim, "annotator", actor=stage.person)
    join(stage.study, kim, "annotator", actor=stage.person, tell_person=True)
    return stage.open_page("/", kim, **stage.options)


@scene
def api_tokens(stage: Stage) -> Any:
    create_token(stage.person, scopes=["read"], name="laptop", lifetime=timedelta(days=5, hours=1))
    create_token(stage.person, scopes=["read", "export"], name="nightly download")
    return stage.open_page("/accounts/tokens/", stage.person, **stage.options)


@scene
def batches(stage: Stage) -> Any:
    stage.batches()
    return stage.page("batches/")


@scene
def batches_none(stage: Stage) -> Any:
    return stage.page("batches/")


@scene
def overlap(stage: Stage) -> Any:
    stage.batches()
    return stage.page("batches/pairs/?what=overlap&value=1&which=all&sample=all")


# --- The guideline --------------------------------------------------------------------------------------


#: What is written into each text.
WORDS = {"en": "Look twice before you answer.", "zh-hans": "请看两遍再作答。"}


def editor(stage: Stage) -> Any:
    """The editor after something was written into both texts."""
    page = stage.page("guideline/edit/")
    expect(page.locator("[data-showing]")).to_be_visible()
    for code, text in shipped("guideline").items():
        assert BEGINS[code] in text
        page.locator(f"#text-{code}").fill(text.replace(BEGINS[code], f"{WORDS[code]} {BEGINS[code]}"))
        expect(page.locator(f'[data-column="{code}"] [data-preview]')).to_contain_text(WORDS[code])
    expect(page.locator("[data-draft=kept]")).to_be_visible()
    page.evaluate("for (const text of document.querySelectorAll('textarea')) text.scrollTop = 0")
    return page


@scene
def guideline_editor(stage: Stage) -> Any:
    return editor(stage)


@scene
def guideline_differs(stage: Stage) -> Any:
    page = editor(stage)
    page.locator('[data-show="changes"]').click()
    expect(page.locator("[data-preview] ins").first).to_be_visible()
    return page


@scene
def guideline_faults(stage: Stage) -> Any:
    page = editor(stage)
    page.locator("#text-en").fill(shipped("guideline")["en"].replace("{#tag-hate}", ""))
    page.locator('button[value="review"]').click()
    expect(page.locator("[data-problems]")).to_be_visible()
    return page


@scene
def guideline_review(stage: Stage) -> Any:
    stage.people()
    page = editor(stage)
    page.locator('button[value="review"]').click()
    expect(page.locator('button[value="publish"]')).to_be_visible()
    return page


@scene
def guideline_overtaken(stage: Stage) -> Any:
    page = editor(stage)
    theirs = {
        code: text.replace(BEGINS[code], f"Theirs. {BEGINS[code]}") for code, text in shipped("guideline").items()
    }
    other = factories.member(stage.study, "admin", username="admin-2")
    publish_guideline(stage.study, texts=theirs, actor=other)
    page.locator('button[value="review"]').click()
    expect(page.locator(".overtaken")).to_be_visible()
    return page


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
    factories.video(pairs[1].prompt, asset=factories.asset(state="pending"), generator="lavfi-shapes")
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
    running = {"heartbeat_at": now, "fence": 1, "stage": "Keeping files", "steps": 1412, "steps_total": 4790}
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
    running = {"heartbeat_at": timezone.now(), "fence": 1, "stage": "Keeping files", "steps": 1412, "steps_total": 4790}
    return stage.import_page(stage.job(state="running", **running))


@scene
def import_done(stage: Stage) -> Any:
    return stage.import_page(stage.done())


@scene
def import_dry_run(stage: Stage) -> Any:
    return stage.import_page(stage.done(options={"dry_run": True}))


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
    ready = Asset.objects.filter(state="ready").order_by("pk")
    for number, asset in enumerate(ready):
        Asset.objects.filter(pk=asset.pk).update(finished_at=now - timedelta(seconds=20 * number))
    about = factories.prompt(stage.study, text="A kettle begins to boil.")
    for _ in range(24):
        factories.video(about, asset=factories.asset(state="pending"))
    failed = factories.asset(state="failed", reason="The file has no picture, only sound.")
    factories.video(about, asset=failed)
    return stage.page()


def small(picture: bytes) -> Image.Image:
    """The picture in 256 colours: those that most of the page has as they are, and what comes near the others."""
    page = Image.open(io.BytesIO(picture)).convert("RGB")
    common = [colour for _count, colour in sorted(page.getcolors(2**24), reverse=True)[:96]]
    others = page.quantize(160, Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*chain.from_iterable(common), *others])
    return page.quantize(palette=palette, dither=Image.Dither.NONE)


def take(page: Any, path: Path) -> None:
    """A picture of the whole page, unless it is very long."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
    height = page.evaluate("document.documentElement.scrollHeight")
    size = page.viewport_size
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(max(height, size["height"]), HIGHEST)}
    path.parent.mkdir(parents=True, exist_ok=True)
    small(page.screenshot(full_page=True, clip=clip)).save(path, optimize=True)


def taken() -> list[tuple[str, str, str]]:
    """Every scene with the views and the languages in which it is taken."""
    every = [(name, view, language) for name in SCENES for view in VIEWS for language in LANGUAGES]
    return [
        (name, view, language)
        for name, view, language in every
        if not view or (name in FOREMOST and (view, language) != ("dark", "zh"))
    ]


@pytest.mark.parametrize(("name", "view", "language"), taken())
@pytest.mark.django_db(transaction=True)
def test_scene(name: str, view: str, language: str, open_page: Any, gallery: dict[str, list[Renditions]]) -> None:
    study = factories.study(slug="everyday-scenes", title=TITLES[language])
    stage = Stage(language, study, open_page, gallery)
    stage.options |= VIEWS[view]
    page = SCENES[name](stage)
    take(page, FOLDER / f"{'-'.join(filter(None, [name.replace('_', '-'), language, view]))}.png")
