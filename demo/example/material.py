"""Bring prompts, clips and pairs into the example by the import that serves people, and read their truth back."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from catalog.models import Pair, Prompt, Video
from demo.clips import LICENCE, draw_all, write_manifest
from demo.example import SLUG, design
from demo.example.clips import Clip, clips, take
from demo.example.design import ExamplePair
from demo.example.prompts import PROMPTS, ExamplePrompt, prompts
from importing.pairing import PairChoice
from importing.study import ImportOptions, import_study
from simulation.truth import GENERATORS, World
from studies.harms import HARM_KEYS
from studies.models import Study

LABELLER, REFINER, VERSION = "example-labeller-1", "example-refiner-1", "1"
BATCH_SIZE = 100


def import_prompts(folder: Path) -> None:
    """Import all prompts of the first lots, so that the study decides which of them are for testing."""
    _import(folder, "prompts", map(_prompt_line, prompts()[:PROMPTS]))


def import_wave(study: Study, folder: Path, wave: int) -> None:
    """Draw the clips that are missing, and import the videos and pairs of one wave. Repeating it adds nothing."""
    draw_all([take(clip) for clip in clips()], folder)
    pairs = design.waves(test_keys(study), study.seed)[wave]
    _import(folder, f"wave-{wave + 1}", _wave_lines(pairs))


def has_wave(study: Study, wave: int) -> bool:
    """Return whether the pairs of a wave were imported."""
    return Pair.objects.filter(study=study, kind=Pair.Kind.REAL).count() >= sum(design.WAVES[: wave + 1])


def test_keys(study: Study) -> set[str]:
    """Return the keys of the prompts that the study put into the test part."""
    test = Prompt.objects.filter(study=study, split=Prompt.Split.TEST)
    return set(test.values_list("source_id", flat=True))


def pairs_of(study: Study) -> list[Pair]:
    """Return the imported pairs in the order of their import."""
    found = Pair.objects.filter(study=study, kind=Pair.Kind.REAL).select_related("prompt", "video_0", "video_1")
    return list(found.order_by("pk"))


def world_of(study: Study, pairs: Sequence[Pair]) -> World:
    """Return the planted truth about imported pairs. The ids of their videos name the clips."""
    by_key, by_clip = {one.key: one for one in prompts()}, {one.key: one for one in clips()}

    def clip(video: Video) -> Clip:
        return by_clip[video.source_id.rsplit("-", 1)[1]]

    shown = [(by_key[pair.prompt.source_id], clip(pair.video_0), clip(pair.video_1)) for pair in pairs]
    return design.world(shown, test_keys(study), study.seed)


def _import(folder: Path, name: str, lines: Iterator[dict[str, Any]]) -> None:
    manifest = write_manifest(folder / f"{name}.jsonl", lines)
    # Without this choice, prompts that are imported again would get all pairs of their videos.
    options = ImportOptions(batch_size=BATCH_SIZE, pairs=PairChoice("listed"))
    report = import_study(manifest, SLUG, options=options)
    if not report.imported:
        raise RuntimeError(f"The example's own material was refused: {report.bad[0]}")


def _prompt_line(prompt: ExamplePrompt) -> dict[str, Any]:
    return {
        "type": "prompt",
        "id": prompt.key,
        "text": prompt.text,
        "prompt_type": "safety_neutral" if prompt.harm < 0 else "safety_critical",
        "labels": [] if prompt.harm < 0 else [HARM_KEYS[prompt.harm]],
        "labelled_by": LABELLER,
        "source": "real_user" if prompt.by_real_user else "researcher",
        "licence": LICENCE,
    }


def _wave_lines(pairs: Sequence[ExamplePair]) -> Iterator[dict[str, Any]]:
    for prompt in sorted({pair.prompt for pair in pairs}, key=lambda one: one.number):
        yield _prompt_line(prompt)
    for pair in pairs:
        for side in (0, 1):
            yield _video_line(pair, side)
        yield {"type": "pair", "video_0": pair.key(0), "video_1": pair.key(1)}


def _video_line(pair: ExamplePair, side: int) -> dict[str, Any]:
    clip = pair.clips[side]
    line = {
        "type": "video",
        "id": pair.key(side),
        "prompt": pair.prompt.key,
        "path": take(clip).path,
        "generator": GENERATORS[clip.generator],
        "generator_version": VERSION,
        "seed": str(pair.number),
        "licence": LICENCE,
    }
    refined = {"video_text": f"{pair.prompt.text} Smooth motion, sharp picture.", "refined_by": REFINER}
    return line | (refined if pair.refined[side] else {})
