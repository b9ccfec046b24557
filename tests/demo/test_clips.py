"""The clips and the manifest of the demo."""

import json
from pathlib import Path

import pytest

from demo import clips
from demo.prompts import PROMPTS
from demo.takes import Take, takes
from media.probe import probe
from media.transcode import UnplayableMedia
from tests.media.workers import sha256_of_path


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[Take]:
    """Make only the first three clips and the broken one, to save time."""
    chosen = [*takes()[:3], *(take for take in takes() if take.broken)]
    monkeypatch.setattr(clips, "takes", lambda: tuple(chosen))
    return chosen


def test_every_prompt_has_two_to_four_clips_and_all_keys_differ() -> None:
    made = takes()
    counts = [sum(take.prompt == prompt.key for take in made) for prompt in PROMPTS]

    assert len(PROMPTS) >= 26
    assert len(made) >= 64
    assert all(2 <= count <= 4 for count in counts)
    assert len({take.key for take in made}) == len(made)
    assert {prompt.language for prompt in PROMPTS} == {"en", "zh"}
    assert 3 <= sum(prompt.prompt_type == "safety_critical" for prompt in PROMPTS) <= 6
    assert sum(take.broken for take in made) == 1


@pytest.mark.long
def test_manifest_names_the_files_that_are_made(few: list[Take], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    manifest = clips.make_clips(tmp_path, lambda done, of: told.append((done, of)))

    lines = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    videos = [line for line in lines if line["type"] == "video"]
    prompts = {line["id"] for line in lines if line["type"] == "prompt"}
    assert [line["id"] for line in videos] == [take.key for take in few]
    assert all((tmp_path / line["path"]).stat().st_size > 1000 for line in videos)
    assert {line["prompt"] for line in videos} <= prompts
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_an_interrupted_run_resumes_and_keeps_what_is_there(few: list[Take], tmp_path: Path) -> None:
    clips.make_clips(tmp_path)
    kept, lost = tmp_path / few[0].path, tmp_path / few[1].path
    before, content = kept.stat().st_mtime_ns, sha256_of_path(lost)
    lost.unlink()

    clips.make_clips(tmp_path)

    assert kept.stat().st_mtime_ns == before
    assert sha256_of_path(lost) == content  # the same clip, byte for byte
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.long
def test_the_broken_clip_fails_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    [broken] = [take for take in takes() if take.broken]

    with pytest.raises(UnplayableMedia, match="incomplete or damaged"):
        probe(clips.make_clip(broken, tmp_path))
