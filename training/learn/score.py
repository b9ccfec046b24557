"""Score new videos, each with its prompt, in batches.

    python -m training.learn.score --model run-1/model --items items.jsonl --out scores.jsonl

A line of the items has `id`, `prompt` and `frames` (8 paths of JPEG files in the order of time), or `video` (a path;
this needs the extra `large`). A line of the result has `id` and `scores`, or `error`.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from training.learn import data, events
from training.learn.backbones import MOST_UNKNOWN, chosen
from training.learn.events import Failed, StopSignal, emit
from training.learn.loading import load
from training.learn.models import Trained
from training.learn.options import option, parse

#: Most pixels of the short and of the long side of a frame, as the platform stores frames.
SHORT_SIDE, LONG_SIDE = 160, 640


@dataclass(frozen=True)
class ScoreOptions:
    """Options of `score`."""

    model: Path = field(metadata={"help": "folder of the model"})
    items: Path = field(metadata={"help": "JSON Lines: id, prompt, and frames or video"})
    out: Path = field(metadata={"help": "JSON Lines that are written"})
    backbone_path: str = option("", "folder of the backbone on this machine; default: as the model names it")
    batch_size: int = option(16, "items that are scored at a time")


def score(options: ScoreOptions, stop: StopSignal) -> None:
    """Score all items. The result has its name when it is complete. Raise Failed and Stopped."""
    model = load(options.model, options.backbone_path)
    try:
        with options.items.open(encoding="utf-8") as file:
            of = sum(1 for _line in file)
    except (OSError, ValueError) as error:
        raise Failed("bad_items", f"{options.items} cannot be read: {error}") from error
    done = wrong = 0
    aside = options.out.with_name(f".{options.out.name}.part")
    with options.items.open("rb") as file, aside.open("w", encoding="utf-8") as out:
        for group in data.groups(enumerate(file, start=1), options.batch_size):
            stop.check()
            for one in score_group(model, [_item(line, number) for number, line in group]):
                wrong += "error" in one
                out.write(json.dumps(one, ensure_ascii=False) + "\n")
            done += len(group)
            emit("stage", stage="evaluating", done=done, of=of)
    os.replace(aside, options.out)
    emit("done", metrics=[], scored=done - wrong, failed=wrong)


def score_group(model: Trained, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the result of each item. An item that cannot be read has an error instead of scores."""
    results: list[dict[str, Any]] = []
    ready: list[tuple[int, tuple[str, Any]]] = []
    for place, item in enumerate(items):
        results.append({"id": item.get("id")})
        try:
            ready.append((place, (_prompt(model, item), _frames(model, item))))
        except (OSError, ValueError, Failed) as error:
            results[place]["error"] = str(error)
    for (place, _item), scores in zip(ready, model.score([one for _place, one in ready]), strict=True):
        results[place]["scores"] = scores
    return results


def _item(line: bytes, number: int) -> dict[str, Any]:
    try:
        item = json.loads(line)
    except ValueError:
        item = None
    if not isinstance(item, dict) or "id" not in item:
        raise Failed("bad_items", f"Line {number} is no JSON object with an id.")
    return item


def _prompt(model: Trained, item: dict[str, Any]) -> str:
    prompt = item.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise ValueError("The item has no prompt.")
    if model.unknown_share([prompt]) > MOST_UNKNOWN:
        raise ValueError("The text encoder of this model does not know the words of the prompt.")
    return prompt


def _frames(model: Trained, item: dict[str, Any]) -> Any:
    """Return the frames of an item as the model takes them. Raise OSError, ValueError and Failed."""
    if model.reads_videos and "video" in item:
        return model.read_video(item["video"])
    if "frames" in item:
        pictures: list[Image.Image] = [Image.open(path) for path in item["frames"]]
        for one in pictures:
            one.load()
    elif "video" in item:
        pictures = cut(item["video"])
    else:
        raise ValueError("The item has neither frames nor video.")
    if not pictures or len({one.size for one in pictures}) > 1:
        raise ValueError("The item has no frames, or frames of several sizes.")
    return pictures


def cut(path: str) -> list[Image.Image]:
    """Return 8 evenly spaced pictures of a video, the first and the last included, as the platform cuts them.

    The file is decoded once to count its pictures and once more to take them, since containers miscount. Raise Failed
    without the extra `large`, and ValueError if the file cannot be decoded.
    """
    try:
        import av
    except ImportError:
        raise Failed(
            "no_decoder", "Videos need the extra large: pip install diptych-learn[large]. Or give frames."
        ) from None
    try:
        with av.open(path) as file:
            count = sum(1 for _picture in file.decode(video=0))
        wanted = chosen(count)
        with av.open(path) as file:
            return [_smaller(one.to_image()) for at, one in enumerate(file.decode(video=0)) if at in wanted]
    except (av.error.FFmpegError, IndexError) as error:
        raise ValueError(f"{path} cannot be decoded: {error}") from error


def _smaller(picture: Image.Image) -> Image.Image:
    """Return a picture in the size of the platform's frames, whose sides are even (`media.graph.frame_size_of`)."""
    playback = _within(picture.width // 2 * 2, picture.height // 2 * 2)
    scale = min(SHORT_SIDE / min(playback), LONG_SIDE / max(playback))
    width, height = (max(2, round(side * scale / 2) * 2) for side in playback)
    return picture.resize((width, height), Image.Resampling.BICUBIC)


def _within(width: int, height: int) -> tuple[int, int]:
    """Return the size of the platform's playback file: at most 1920 × 1080 pixels, or 1080 × 1920."""
    scale = min(1.0, 1920 / max(width, height), 1080 / min(width, height))
    return int(width * scale + 1e-6) // 2 * 2, int(height * scale + 1e-6) // 2 * 2


def main(arguments: list[str] | None = None) -> int:
    """Run the program. Return its exit code."""
    options = parse(ScoreOptions, arguments, __doc__.splitlines()[0], "score")
    return events.run(lambda: score(options, StopSignal()))


if __name__ == "__main__":
    sys.exit(main())
