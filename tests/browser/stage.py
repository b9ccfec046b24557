"""Common code for pictures of the pages of a study's researchers: a study, its people and its material.

A scene is a function that produces one state and returns the page. The most used pages are also taken narrow and dark.
"""

import io
import json
from collections import Counter
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

from catalog.models import Pair
from demo.clips import make_clip
from demo.prompts import PROMPTS
from demo.takes import takes
from importing import job_progress
from importing.models import Import
from media import names
from media.models import Asset
from media.transcode import Renditions, transcode
from sources import sentences
from sources.left_out import in_words
from sources.sentences import Sentence
from studies.memberships import join
from studies.models import Study
from studies.models.memberships import Role
from tests import factories
from tests.browser.states import LANGUAGES, TITLES

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots" / "running"
WIDE, NARROW = {"width": 1280, "height": 720}, {"width": 420, "height": 800}
VIEWS = {"": {}, "narrow": {"viewport": NARROW}, "dark": {"color_scheme": "dark"}}
#: Taken in every view. The dark one is taken in English only.
FOREMOST = {"settings_protocol", "people", "guideline_editor", "library_pairs", "pair", "import_done", "jobs"}
FOREMOST |= {"lots_listed", "lot_reviewed", "review_blind", "findings", "release_complete"}
FOREMOST |= {"release_card", "release_figures", "quality", "agreement", "annotators", "annotator"}
FOREMOST |= {"controls", "calibration_closed", "suspensions", "suspension", "pauses", "webhooks", "webhook"}
FOREMOST |= {"training_running", "models", "model_family", "model_version", "model_version_of_tags", "generators"}
FOREMOST |= {"library_labels", "qualification_failed", "qualification_publish", "answer_with_reply"}
#: Longer pages are cut.
HIGHEST = 1100
#: The prompts whose clips are made for the pictures. One of them may show harm.
SHOWN = ("p01", "p03", "p05", "p14", "p17", "p27")
Scene = Callable[["Stage"], Any]
SCENES: dict[str, Scene] = {}


def scene(make: Scene) -> Scene:
    SCENES[make.__name__] = make
    return make


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Renditions]]:
    """Make two clips for each of these prompts, ready to be played."""
    folder = tmp_path_factory.mktemp("gallery")
    (folder / "clips").mkdir()
    made: dict[str, list[Renditions]] = {}
    for key in SHOWN:
        for take in [take for take in takes() if take.prompt == key and not take.broken][:2]:
            made.setdefault(key, []).append(transcode(make_clip(take, folder), folder / take.key))
    return made


class Stage:
    """A study, its researcher, and a function that opens their pages."""

    def __init__(self, language: str, study: Study, open_page: Any, gallery: dict[str, list[Renditions]]) -> None:
        self.language, self.study, self.open_page, self.gallery = language, study, open_page, gallery
        self.options: dict[str, Any] = {"locale": LANGUAGES[language]}
        self.person = factories.person(username="researcher", is_superuser=True)
        for role in (Role.ADMIN, Role.RESEARCHER):
            join(study, self.person, role)
        factories.officer()

    def page(self, path: str = "") -> Any:
        """Return a page of the study."""
        return self.open_page(f"/studies/{self.study.slug}/{path}", self.person, **self.options)

    def people(self) -> None:
        for role, count in (("annotator", 6), ("reviewer", 2)):
            for number in range(1, count + 1):
                factories.member(self.study, role, username=f"{role}-{number:02}")
        join(self.study, self.study.memberships.filter(role="reviewer")[0].person, "annotator")

    def material(self) -> list[Pair]:
        """Make pairs of the gallery's clips in four batches. Some have answers, and all marks of pairs occur."""
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
        """Make five batches of plain pairs, the first of them done."""
        states = ("accepted", "in_review", "annotated", "open", "open")
        for number, (state, taken) in enumerate(zip(states, (2, 2, 2, 1, 0), strict=True), start=1):
            batch = factories.batch(self.study, number=number, state=state)
            for pair in factories.pairs(self.study, 8, batch=batch, wanted=2):
                Pair.objects.filter(pk=pair.pk).update(open_slots=2 - taken)
        Pair.objects.filter(pk=pair.pk).update(held="The two clips have different prompts.")

    def job(self, **values: Any) -> Import:
        """Make an import that somebody started some minutes ago."""
        now = timezone.now()
        begun = now - timedelta(minutes=6)
        stages = {"Reading rows": 0, "Finding files": 4, "Reading files": 9, "Storing files": 190}
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
                sentences.stored(in_words(Counter({"README": 1, ".DS_Store": 3}))),
                sentences.stored(Sentence("The study is closed, so the new pairs are not served to anyone.")),
            ],
        }
        finished = {"state": "done", "finished_at": timezone.now(), "started_at": timezone.now() - timedelta(minutes=5)}
        return self.job(**finished | {"report": report} | values)

    def bad(self) -> Import:
        job = self.job(state="refused", finished_at=timezone.now(), bad_rows=214, report={"imported": False})
        reasons = (
            ("path", Sentence("%(path)s is empty", path="clips/p0031-b.mp4")),
            (
                "prompt_type",
                Sentence(
                    "is %(value)s; it must be %(known)s", value='"neutral"', known="safety_neutral or safety_critical"
                ),
            ),
            ("seed", Sentence("has more than %(most)s digits", most=79)),
            ("", Sentence("The line is not JSON: %(error)s", error="Unterminated string (column 71)")),
        )
        rows = (
            json.dumps(
                {"file": "manifest.jsonl", "line": line, "field": field, "reason": reason} | sentences.stored(reason)
            ).encode()
            + b"\n"
            for line, (field, reason) in zip(range(12, 12 + 31 * 214, 31), cycle(reasons), strict=False)
        )
        default_storage.save(job_progress.bad_rows_file(job), ContentFile(b"".join(rows)))
        return job

    def import_page(self, job: Import) -> Any:
        return self.page(f"imports/{job.public_id}/")


def small(picture: bytes) -> Image.Image:
    """Reduce the picture to 256 colours: the most frequent ones exactly, and the nearest ones for the others."""
    page = Image.open(io.BytesIO(picture)).convert("RGB")
    common = [colour for _count, colour in sorted(page.getcolors(2**24), reverse=True)[:96]]
    others = page.quantize(160, Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*chain.from_iterable(common), *others])
    return page.quantize(palette=palette, dither=Image.Dither.NONE)


def take(page: Any, path: Path) -> None:
    """Take a picture of the whole page, unless it is very long."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
    height = page.evaluate("document.documentElement.scrollHeight")
    size = page.viewport_size
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(max(height, size["height"]), HIGHEST)}
    path.parent.mkdir(parents=True, exist_ok=True)
    small(page.screenshot(full_page=True, clip=clip)).save(path, optimize=True)


def taken(module: str) -> list[tuple[str, str, str]]:
    """Return every scene of a module with its views and languages."""
    names = [name for name, make in SCENES.items() if make.__module__ == module]
    every = [(name, view, language) for name in names for view in VIEWS for language in LANGUAGES]
    return [
        (name, view, language)
        for name, view, language in every
        if not view or (name in FOREMOST and (view, language) != ("dark", "zh"))
    ]


def picture(name: str, view: str, language: str, open_page: Any, gallery: dict[str, list[Renditions]]) -> None:
    """Make the scene, and save a picture of its page in docs/screenshots/running."""
    study = factories.study(slug="everyday-scenes", title=TITLES[language])
    stage = Stage(language, study, open_page, gallery)
    stage.options |= VIEWS[view]
    page = SCENES[name](stage)
    take(page, FOLDER / f"{'-'.join(filter(None, [name.replace('_', '-'), language, view]))}.png")
