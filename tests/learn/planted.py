"""Release folders in which prompt and video together decide who wins: colour, shape and motion of a moving figure.

Each part has its own clips, and within a part a clip is shown under many prompts. A quarter of the combinations is
asked for in test prompts only. So a model can only do well if it compares what a prompt asks with what a clip shows.
"""

import hashlib
import io
import json
import math
import tarfile
from dataclasses import dataclass, field
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from diptych_client.release_folder.vocabulary import HARM_KEYS, QUESTIONS, SUB_DIMENSIONS

COLOURS = {"red": (210, 40, 40), "blue": (40, 70, 210), "green": (40, 160, 60), "yellow": (230, 200, 40)}
SHAPES = ("ball", "cube", "star")
MOTIONS = {"to the right": (1, 0), "to the left": (-1, 0), "upwards": (0, -1), "downwards": (0, 1)}
PLACES = (
    *("on a wooden table", "on a frozen lake", "in a sunny garden", "on a sandy beach", "in an empty hall"),
    *("on a chalk board", "above a calm sea", "beside a brick wall", "at dawn", "at noon", "at night", "in light rain"),
)
WORDINGS = (
    "A {colour} {shape} moves {motion} {place}",
    "Show a {colour} {shape} that moves {motion} {place}",
    "{place}: a {shape}, {colour}, moves {motion}",
)
#: A prompt has 10 pairs at most.
CLIPS_OF_A_PROMPT = 5
#: Numbers of colour, shape and motion.
Attributes = tuple[int, int, int]


@dataclass
class World:
    """What is planted, and how much of it.

    Attributes:
        sizes: how many colours, shapes and motions there are.
        slope: how strongly each right attribute counts: the log odds of one.
        ties: η of Rao and Kupper; 0: forced choices.
        frame: width and height of the pictures in pixels.
        shuffled: people toss coins, so there is nothing to learn.
        order: of the 8 frames, in which clips are stored.
        facts: what a pair's prompt asks for, and what its clips show.
    """

    sizes: tuple[int, int, int] = (2, 2, 2)
    clips: int = 120
    train_pairs: int = 600
    test_pairs: int = 200
    train_prompts: int = 100
    test_prompts: int = 60
    slope: float = 3.0
    ties: float = 0.0
    overlap: float = 0.1
    frame: tuple[int, int] = (64, 64)
    seed: int = 1
    shuffled: bool = False
    order: tuple[int, ...] = tuple(range(8))
    ceiling: float = field(default=0.0, init=False)
    folder: Path = field(default=Path(), init=False)
    facts: dict[str, tuple[Attributes, Attributes, Attributes]] = field(default_factory=dict, init=False)

    @property
    def attributes(self) -> list[Attributes]:
        return list(product(*(range(size) for size in self.sizes)))

    def is_held_out(self, one: Attributes) -> bool:
        return len(set(one)) == 1 if self.sizes == (2, 2, 2) else sum(one) % 4 == 0


#: Of a world in which nothing can be learned well, but soon.
TINY: dict[str, Any] = {"clips": 40, "train_pairs": 120, "test_pairs": 20, "train_prompts": 12, "test_prompts": 4}


def hex64(*words: object) -> str:
    return hashlib.sha256(" ".join(map(str, words)).encode()).hexdigest()


def write(root: Path, world: World) -> World:
    """Write the release of a world, and note where it is, and the accuracy of who knows each chance on test pairs."""
    random = np.random.default_rng(world.seed)
    clips_random = np.random.default_rng(1)  # the same clips in every world, so that they are embedded once
    root.mkdir(parents=True, exist_ok=True)
    parts = ("train", "test")
    numbers = {"train": range(round(0.75 * world.clips)), "test": range(round(0.75 * world.clips), world.clips)}
    shown = [world.attributes[n % len(world.attributes)] for n in range(world.clips)]
    pictures = [
        [drawn[number] for number in world.order] for drawn in (draw(one, world, clips_random) for one in shown)
    ]
    lines: dict[str, list[dict[str, Any]]] = {name: [] for name in ("prompts", "tv_pairs", "pairs", "annotations")}
    certain = []
    members: dict[str, dict[tuple[str, str], int]] = {part: {} for part in parts}
    made = 0
    for part in parts:
        pairs, prompts = (
            (world.train_pairs, world.train_prompts) if part == "train" else (world.test_pairs, world.test_prompts)
        )
        asked = [one for one in world.attributes if world.is_held_out(one) == (part == "test")]
        for number in range(prompts):
            wanted = asked[random.integers(len(asked))]
            prompt = _prompt(part, number, wanted, random)
            videos: dict[int, dict[str, Any]] = {}
            of_prompt = pairs // prompts + (number < pairs % prompts)
            for two in _choose(numbers[part], shown, wanted, of_prompt, random):
                for clip in two:
                    videos.setdefault(clip, _tv_pair(prompt, clip))
                    members[part][prompt["prompt_id"], videos[clip]["video_id"]] = clip
                ids = tuple(videos[clip]["video_id"] for clip in two)
                pair_id = hex64(*ids)
                world.facts[pair_id] = (wanted, shown[two[0]], shown[two[1]])
                right = [sum(a == b for a, b in zip(shown[clip], wanted, strict=True)) for clip in two]
                sampled = bool(random.random() < world.overlap)
                odds = 0.0 if world.shuffled else world.slope * (right[1] - right[0])
                counts = {question: [0, 0, 0] for question in QUESTIONS}
                for answer in range(3 if sampled else 1):
                    made += 1
                    line = _annotation(prompt, pair_id, [videos[clip] for clip in two], made, sampled, answer)
                    chosen = {question: _answer(odds, world.ties, random) for question in QUESTIONS}
                    chosen["harmlessness"] = _answer(-odds, world.ties, random)
                    if part == "test":
                        certain.append(max(_chances(odds, 0.0)[:2]))
                    line["helpfulness"] = {one: chosen[one] for one in SUB_DIMENSIONS} | {
                        "overall": chosen["helpfulness"]
                    }
                    line["harmlessness"] = {"overall": chosen["harmlessness"]} | {
                        f"video_{side}": {"tags": _tags(shown[clip], wanted, random)} for side, clip in enumerate(two)
                    }
                    for question, choice in chosen.items():
                        counts[question][("video_0", "video_1", "tie").index(choice)] += 1
                    for side, clip in enumerate(two):
                        _count(videos[clip], line["harmlessness"][f"video_{side}"]["tags"])
                    lines["annotations"].append(line)
                lines["pairs"].append(_pair_line(prompt, pair_id, ids, sampled, counts))
            lines["prompts"].append(prompt | {"n_pairs": of_prompt, "n_videos": len(videos), "n_answers": 0})
            lines["tv_pairs"] += [one for _clip, one in sorted(videos.items())]
    world.ceiling = float(np.mean(certain))
    files = _archives(root, members, pictures)
    for name, rows in lines.items():
        rows.sort(key=lambda row: row["prompt_id"])
        (root / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        files.append(_described(root, f"{name}.jsonl", "jsonl"))
    manifest = {
        "manifest": 1,
        "study": "planted",
        "title": "Planted",
        "release": 1,
        "licence": "CC0-1.0",
        "files": files,
    }
    (root / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    world.folder = root
    return world


def draw(shown: Attributes, world: World, random: np.random.Generator) -> list[bytes]:
    """Return 8 pictures of a figure that moves across a noisy background."""
    width, height = world.frame
    colour = np.array(list(COLOURS.values())[shown[0]]) + random.integers(-20, 21, 3)
    direction = np.array(list(MOTIONS.values())[shown[2]])
    size = height * random.uniform(0.14, 0.2)
    centre = np.array([width / 2, height / 2]) + random.uniform(-0.1, 0.1, 2) * (width, height)
    reach = np.array([width / 2, height / 2]) - size
    shade, noise = random.integers(90, 190, 3), random.normal(0, 2, (height, width, 3))
    pictures = []
    for time in np.linspace(-0.8, 0.8, 8):
        picture = Image.fromarray(np.clip(shade + noise, 0, 255).astype(np.uint8))
        x, y = np.where(direction, np.array([width / 2, height / 2]) + direction * time * reach, centre)
        _figure(
            ImageDraw.Draw(picture), SHAPES[shown[1]], x, y, size, tuple(int(one) for one in np.clip(colour, 0, 255))
        )
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=90)
        pictures.append(file.getvalue())
    return pictures


def _figure(on: ImageDraw.ImageDraw, shape: str, x: float, y: float, size: float, colour: tuple[int, ...]) -> None:
    if shape == "ball":
        on.ellipse((x - size, y - size, x + size, y + size), fill=colour)
    elif shape == "cube":
        on.rectangle((x - size, y - size, x + size, y + size), fill=colour)
    else:
        turns = [math.pi * n / 5 - math.pi / 2 for n in range(10)]
        radii = [size * (1.2 if n % 2 == 0 else 0.5) for n in range(10)]
        on.polygon([(x + r * math.cos(t), y + r * math.sin(t)) for t, r in zip(turns, radii, strict=True)], fill=colour)


def _choose(
    clips: range,
    shown: list[Attributes],
    wanted: Attributes,
    pairs: int,
    random: np.random.Generator,
) -> list[tuple[int, int]]:
    """Return so many different pairs of a few clips, first those of which one has more of what is asked."""
    some = [int(clip) for clip in random.choice(list(clips), CLIPS_OF_A_PROMPT, replace=False)]
    right = {clip: sum(a == b for a, b in zip(shown[clip], wanted, strict=True)) for clip in some}
    two = [pair if random.random() < 0.5 else pair[::-1] for pair in combinations(some, 2)]
    return sorted(two, key=lambda pair: right[pair[0]] == right[pair[1]])[:pairs]


def _chances(odds: float, ties: float) -> tuple[float, float, float]:
    one, zero = (1 / (1 + math.exp(-(sign * odds - ties))) for sign in (1, -1))
    return zero, one, max(0.0, 1 - zero - one)


def _answer(odds: float, ties: float, random: np.random.Generator) -> str:
    zero, one, _tie = _chances(odds, ties)
    drawn = random.random()
    return "video_0" if drawn < zero else "video_1" if drawn < zero + one else "tie"


def _tags(shown: Attributes, wanted: Attributes, random: np.random.Generator) -> list[str]:
    """Return planted tags: red clips, and clips of the shape that the prompt asks for. One in 20 is wrong."""
    true = {"violence": shown[0] == 0, "crime": shown[1] == wanted[1] and shown[2] == 0}
    return [key for key, holds in true.items() if holds != (random.random() < 0.05)]


def _prompt(part: str, number: int, wanted: Attributes, random: np.random.Generator) -> dict[str, Any]:
    names = (list(COLOURS)[wanted[0]], SHAPES[wanted[1]], list(MOTIONS)[wanted[2]])
    words = dict(zip(("colour", "shape", "motion"), names, strict=True)) | {
        "place": PLACES[random.integers(len(PLACES))]
    }
    text = f"{WORDINGS[random.integers(len(WORDINGS))].format(**words)}, take {number}"
    prompt_id = hex64(part, number)
    return {
        "prompt_id": prompt_id,
        "part": part,
        "set": "corpus",
        "cluster": f"{part}-{number}",
        "prompt_source_id": "",
        "prompt_text": text,
        "prompt_type": "safety_neutral",
        "language": "en",
        "prompt_labels": None,
        "labelled_by": "",
        "source": "researcher",
        "source_detail": "",
        "licence": "CC0-1.0",
    }


def _place(prompt: dict[str, Any]) -> dict[str, Any]:
    return {name: prompt[name] for name in ("prompt_id", "part", "set", "cluster")}


def _tv_pair(prompt: dict[str, Any], clip: int) -> dict[str, Any]:
    return {
        **_place(prompt),
        "video_id": hex64(prompt["prompt_id"], clip),
        "sha256": hex64("file", clip),
        "video_text": prompt["prompt_text"],
        "generated_from": "planted",
        "generator_version": "",
        "seed": "",
        "settings": {},
        "refined_by": "",
        "licence": "CC0-1.0",
        "fps": 8.0,
        "frames": 8,
        "n": 0,
        "tag_counts": dict.fromkeys(HARM_KEYS, 0),
        "tags": [],
        "is_safe": True,
        "method": "majority",
    }


def _count(video: dict[str, Any], tags: list[str]) -> None:
    video["n"] += 1
    for tag in tags:
        video["tag_counts"][tag] += 1
    video["tags"] = [key for key, count in video["tag_counts"].items() if 2 * count >= video["n"]]
    video["is_safe"] = not video["tags"]


def _annotation(
    prompt: dict[str, Any], pair_id: str, videos: list[dict[str, Any]], number: int, sampled: bool, answer: int
) -> dict[str, Any]:
    about = ("video_id", "sha256", "video_text", "generated_from", "generator_version", "seed", "settings")
    return {
        **_place(prompt),
        "annotation_id": number,
        "pair_id": pair_id,
        "annotator_id": hex64(answer)[:16],
        "author": "annotator",
        **{f"video_{side}": {name: video[name] for name in about} for side, video in enumerate(videos)},
        "round": 0,
        "asked_because": "plan",
        "revision": 1,
        "weight": 1.0,
        "weights": None,
        "in_sample": sampled,
        "standing": {"current": True, "validity": "valid", "reason": "", "counted": True, "uncounted_reason": ""},
    }


def _pair_line(
    prompt: dict[str, Any], pair_id: str, videos: tuple[str, ...], sampled: bool, counts: dict[str, list[int]]
) -> dict[str, Any]:
    n = sum(counts["helpfulness"])
    return {
        **_place(prompt),
        "pair_id": pair_id,
        "video_0": videos[0],
        "video_1": videos[1],
        "in_sample": sampled,
        "n": n,
        "selection": {"method": "all", "probability": None, "model": ""},
        "asked_because": {"plan": n},
        "questions": {
            question: dict(zip(("n_video_0", "n_video_1", "n_tie"), three, strict=True))
            for question, three in counts.items()
        },
    }


def _archives(
    root: Path, members: dict[str, dict[tuple[str, str], int]], pictures: list[list[bytes]]
) -> list[dict[str, Any]]:
    files = []
    (root / "frames").mkdir(exist_ok=True)
    for part, of_part in members.items():
        path = f"frames/frames-{part}-00000.tar"
        with tarfile.open(root / path, "w", format=tarfile.USTAR_FORMAT) as archive:
            for (prompt_id, video_id), clip in sorted(of_part.items()):
                for number, picture in enumerate(pictures[clip]):
                    header = tarfile.TarInfo(f"{prompt_id}/{video_id}.{number}.jpg")
                    header.size = len(picture)
                    archive.addfile(header, io.BytesIO(picture))
        files.append(_described(root, path, "frames"))
    return files


def _described(root: Path, path: str, kind: str) -> dict[str, Any]:
    content = (root / path).read_bytes()
    return {"path": path, "kind": kind, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
