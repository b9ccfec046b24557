"""The releases of the example as folders, without a database: the same pairs, clips and simulated answers."""

import io
import json
import random
import subprocess
from pathlib import Path
from typing import Any

from PIL import Image

from demo.clips import draw_all
from demo.example import design, lots
from demo.example.clips import clips, take
from demo.example.prompts import prompts
from diptych.embedded import binaries
from simulation.draws import uniform
from simulation.people import crowd
from simulation.truth import QUESTIONS
from simulation.work import work_through
from tests.learn import planted

ANNOTATORS, TEST_SHARE, SAMPLE_SHARE, SAMPLE_OVERLAP = 12, 0.3, 0.1, 3
FRAMES, FRAME_SIZE = 8, "284x160"


def frames(folder: Path) -> list[list[bytes]]:
    """Return the pictures of each clip, as the platform cuts them. The clips are drawn if they are missing."""
    draw_all([take(clip) for clip in clips()], folder)
    return [_cut(folder / take(clip).path) for clip in clips()]


def _cut(path: Path) -> list[bytes]:
    """Return 8 evenly spaced pictures of a clip as JPEG, the first and the last included."""
    command = [str(binaries.ffmpeg()), "-v", "error", "-i", str(path), "-vf", f"scale={FRAME_SIZE.replace('x', ':')}"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True).stdout
    width, height = map(int, FRAME_SIZE.split("x"))
    size = 3 * width * height
    count = len(raw) // size
    found = []
    for place in range(FRAMES):
        at = round(place * (count - 1) / (FRAMES - 1))
        file = io.BytesIO()
        Image.frombytes("RGB", (width, height), raw[at * size : (at + 1) * size]).save(file, "JPEG", quality=90)
        found.append(file.getvalue())
    return found


def write(root: Path, seed: int, waves: int, pictures: list[list[bytes]]) -> Path:
    """Write the release after so many accepted lots. `seed` decides the split, the pairs and the answers."""
    root.mkdir(parents=True)
    drawn = random.Random(f"split {seed}")
    test = {prompt.key for prompt in prompts() if drawn.random() < TEST_SHARE}
    pairs = [pair for wave in design.waves(test, seed)[:waves] for pair in wave]
    world = design.world([(pair.prompt, *pair.clips) for pair in pairs], test, seed)
    people = crowd(ANNOTATORS, seed, accuracies=lots.ACCURACIES, side_bias=lots.SIDE_BIAS, careless=0.0)
    table = work_through(world, people, seed, SAMPLE_OVERLAP)
    sampled = uniform(seed, 2**50, world.prompt, 0) < SAMPLE_SHARE
    lines: dict[str, list[dict[str, Any]]] = {name: [] for name in ("prompts", "tv_pairs", "pairs", "annotations")}
    members: dict[str, dict[tuple[str, str], int]] = {"train": {}, "test": {}}
    seen: dict[str, dict[str, Any]] = {}
    for place, pair in enumerate(pairs):
        part = "test" if pair.prompt.key in test else "train"
        prompt = seen.setdefault(pair.prompt.key, _prompt(pair, part))
        videos = [planted._tv_pair(prompt, clip.number) for clip in pair.clips]
        for clip, video in zip(pair.clips, videos, strict=True):
            members[part][prompt["prompt_id"], video["video_id"]] = clip.number
        answered = [row for row in range(len(table)) if table.pair[row] == place][: 3 if sampled[place] else 1]
        _answers(lines, pair, prompt, videos, table, answered, sampled=bool(sampled[place]))
    lines["prompts"] = [prompt | {"n_pairs": 1, "n_videos": 2, "n_answers": 1} for prompt in seen.values()]
    files = planted._archives(root, members, pictures)
    for name, rows in lines.items():
        rows.sort(key=lambda row: row["prompt_id"])
        (root / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        files.append(planted._described(root, f"{name}.jsonl", "jsonl"))
    about = {"manifest": 1, "study": "example", "title": "Example", "release": waves, "licence": "CC0-1.0"}
    (root / "manifest.json").write_text(json.dumps(about | {"files": files, "simulated": True}) + "\n")
    return root


def _prompt(pair: Any, part: str) -> dict[str, Any]:
    made = planted._prompt(part, pair.prompt.number, (0, 0, 0), _Any())
    return made | {"prompt_text": pair.prompt.text, "cluster": pair.prompt.key}


class _Any:
    """Draws whose results are replaced."""

    def integers(self, _most: int) -> int:
        return 0


def _answers(
    lines: dict[str, list[dict[str, Any]]],
    pair: Any,
    prompt: dict[str, Any],
    videos: list[dict[str, Any]],
    table: Any,
    rows: list[int],
    *,
    sampled: bool,
) -> None:
    pair_id = planted.hex64("pair", pair.number)
    counts = {question: [0, 0, 0] for question in QUESTIONS}
    for answer, row in enumerate(rows):
        line = planted._annotation(prompt, pair_id, videos, 10 * pair.number + answer, sampled, answer)
        chosen = {question: int(table.sheet.choices[row, place]) for place, question in enumerate(QUESTIONS)}
        said = {question: f"video_{choice}" for question, choice in chosen.items()}
        line["helpfulness"] = {one: said[one] for one in QUESTIONS[:4]} | {"overall": said["helpfulness"]}
        line["harmlessness"] = {"overall": said["harmlessness"]} | {f"video_{side}": {"tags": []} for side in (0, 1)}
        for question, choice in chosen.items():
            counts[question][choice] += 1
        for video in videos:
            planted._count(video, [])
        lines["annotations"].append(line)
    lines["tv_pairs"] += videos
    ids = (videos[0]["video_id"], videos[1]["video_id"])
    lines["pairs"].append(planted._pair_line(prompt, pair_id, ids, sampled, counts))
