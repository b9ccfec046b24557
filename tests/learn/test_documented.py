"""The commands of docs/training.md, run one after the other."""

import json
import shlex
import subprocess
from importlib import import_module

import pytest

from diptych.embedded import binaries
from tests.documents import blocks
from tests.production import ROOT

pytest.importorskip("torch")

PAGE = ROOT / "docs" / "training.md"
PROGRAMS = "training.learn."


def commands():
    words = [shlex.split(line) for block in blocks(PAGE) for line in block.commands]
    return [one[2:] for one in words if one[:2] == ["python3", "-m"] and one[2].startswith(PROGRAMS)]


@pytest.fixture
def here(tiny, cache, tmp_path, monkeypatch):
    """Work in a folder with a pulled release, frames, and a file of items, as the page assumes."""
    from diptych_client import Release

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    (tmp_path / "caches").mkdir()
    (tmp_path / "caches" / "diptych-learn").symlink_to(cache)
    (tmp_path / "my-study-1").symlink_to(tiny.folder)
    (tmp_path / "frames").mkdir()
    release = Release.open(tiny.folder)
    for number, picture in enumerate(release.frames(next(release.tv_pairs()).video_id)):
        (tmp_path / "frames" / f"{number}.jpg").write_bytes(picture)
    (tmp_path / "videos").mkdir()
    for name in ("a.mp4", "b.mp4"):
        made = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=8", "-t", "1", "-pix_fmt", "yuv420p"]
        subprocess.run([str(binaries.ffmpeg()), "-v", "error", *made, str(tmp_path / "videos" / name)], check=True)
    (tmp_path / "pairs.csv").write_text("path_A,path_B,prompt,Overall\na.mp4,b.mp4,A red ball,same\n")
    item = {"id": 1, "prompt": "A red ball", "frames": [f"frames/{number}.jpg" for number in range(8)]}
    (tmp_path / "items.jsonl").write_text(json.dumps(item) + "\n")
    return tmp_path


@pytest.mark.long
def test_every_command_runs(here, capsys):
    ran = set()
    for program, *arguments in commands():
        ran.add(program)
        if "--backbone" not in arguments:  # they need weights of the user's: see test_embed.py and test_large.py
            assert import_module(program).main(arguments) == 0, arguments
    programs = ("preflight", "reward", "moderation", "evaluate", "rewardbench", "score")
    assert {f"{PROGRAMS}{name}" for name in programs} == ran
    [scored] = [json.loads(line) for line in (here / "scores.jsonl").read_text().splitlines()]
    capsys.readouterr()
    [program] = [block.text for block in blocks(PAGE) if block.language == "python"]
    exec(compile(program, str(PAGE), "exec"), {})
    assert "'harmlessness'" in capsys.readouterr().out
    assert set(scored["scores"]) == {"helpfulness", "harmlessness", "cost"}
