"""Compare a reward model with people's choices in a CSV of VideoGen-RewardBench's form.

    python -m training.learn.rewardbench --model run-1/model --csv pairs.csv --videos DIR --out rewardbench.json

The columns are `path_A`, `path_B`, `prompt` and one or more of `VQ`, `MQ`, `TA` and `Overall`, which have A, B or same.
Each column is compared with a question of the model. Pairs of which a video cannot be read are counted and left out.
Needs the extra `large`, which decodes videos.
"""

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from training.learn import data, events, inputs, metrics
from training.learn.data import TIE, VIDEO_1
from training.learn.events import REFUSED, Failed, StopSignal, emit
from training.learn.loading import load
from training.learn.metrics import row
from training.learn.models import Trained
from training.learn.options import option, parse
from training.learn.score import score_group

#: Which question each column of the benchmark is compared with, as releases in its form have them.
COLUMNS = {
    "VQ": "aesthetics",
    "MQ": "correctness",
    "TA": "instruction_following",
    "Overall": "helpfulness",
}
CHOICES = {"A": 0, "B": VIDEO_1, "same": TIE}
NEEDED = ("path_A", "path_B", "prompt")


@dataclass(frozen=True)
class BenchOptions:
    """Options of `rewardbench`."""

    model: Path = field(metadata={"help": "folder of a reward model"})
    csv: Path = field(metadata={"help": "CSV file with path_A, path_B, prompt, and VQ, MQ, TA or Overall"})
    out: Path = field(metadata={"help": "JSON file of figures that is written"})
    videos: str = option("", "folder that the paths are relative to; default: that of the CSV file")
    backbone_path: str = option("", "folder of the backbone on this machine; default: as the model names it")
    batch_size: int = option(16, "videos that are scored at a time")


def compare(options: BenchOptions, stop: StopSignal) -> None:
    """Score all videos of the file and compare them with people's choices. Raise Failed and Stopped."""
    model = load(options.model, options.backbone_path)
    if model.kind != "reward":
        raise Failed("bad_option", "A moderation model makes no choices. Give a reward model.", REFUSED)
    pairs = read(options.csv)
    columns = {name: question for name, question in COLUMNS.items() if name in pairs[0] and question in model.targets}
    if not columns:
        sentence = f"The model answers {', '.join(model.targets)}, and the file has no column for any of them."
        raise Failed("bad_option", sentence, REFUSED)
    root = Path(options.videos or options.csv.parent)
    scores = _scores(model, [(root / one[path], one["prompt"]) for one in pairs for path in NEEDED[:2]], options, stop)
    rows = [one for name, question in columns.items() for one in figures(name, question, pairs, scores)]
    unread = sum(one is None for one in scores)
    if unread:
        rows.append(row("all", "videos_not_read", float(unread), n=len(scores)))
    inputs.write_json(options.out, rows)
    emit("done", metrics=rows)


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of the file. Raise Failed, with the line, if it is not of the benchmark's form."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            rows = [(reader.line_num, one) for one in reader]
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise Failed("bad_items", f"{path} cannot be read: {error}") from error
    if not rows or any(name not in rows[0][1] for name in NEEDED):
        raise Failed("bad_items", f"{path} needs the columns {', '.join(NEEDED)} and at least one row.")
    for line, one in rows:
        for name in COLUMNS.keys() & one.keys():
            if one[name] not in (*CHOICES, "", None):
                raise Failed("bad_items", f"Line {line} of {path}: {name} is {one[name]!r}. It must be A, B or same.")
    return [one for _line, one in rows]


def _scores(
    model: Trained, wanted: list[tuple[Path, str]], options: BenchOptions, stop: StopSignal
) -> list[dict[str, float] | None]:
    """Return the scores of each video, None for one that cannot be read. A video with the same prompt counts once."""
    different = list(dict.fromkeys(wanted))
    found: dict[tuple[Path, str], dict[str, float] | None] = {}
    for group in data.groups(iter(different), options.batch_size):
        stop.check()
        items = [{"id": place, "prompt": prompt, "video": str(path)} for place, (path, prompt) in enumerate(group)]
        for key, result in zip(group, score_group(model, items), strict=True):
            found[key] = result.get("scores")
        emit("stage", stage="evaluating", done=len(found), of=len(different))
    return [found[one] for one in wanted]


def figures(
    column: str, question: str, pairs: list[dict[str, str]], scores: list[dict[str, float] | None]
) -> Iterator[dict[str, Any]]:
    """Yield the figures of one column: agreement without ties, and with ties at the best threshold.

    Pairs of one prompt are a cluster.
    """
    kept = [
        (pair, scores[2 * at], scores[2 * at + 1])
        for at, pair in enumerate(pairs)
        if pair[column] in CHOICES and scores[2 * at] and scores[2 * at + 1]
    ]
    if not kept:
        yield row(question, "agreement", None, note=f"not defined: {column} has no row whose videos can be read")
        return
    difference = np.array([other[question] - one[question] for _pair, one, other in kept if one and other])
    choice = np.array([CHOICES[pair[column]] for pair, _one, _other in kept])
    cluster = np.array([pair["prompt"] for pair, _one, _other in kept])
    chosen = choice != TIE
    best = metrics.best_threshold(difference, choice)
    for name, which, threshold in (
        ("agreement_no_ties", chosen, 0.0),
        ("agreement_best_threshold", np.ones_like(chosen), best),
    ):
        if not which.any():
            continue
        right = metrics.agreement(difference[which], choice[which], threshold)
        sums = metrics.sums_by_cluster(np.stack([right, np.ones_like(right)], 1), cluster[which])
        value, low, high, note = metrics.interval(sums, metrics.ratio)
        majority = float(np.bincount(choice[which], minlength=3).max() / which.sum())
        about = {"low": low, "high": high, "note": note, "n": int(which.sum()), "clusters": len(sums)}
        yield row(question, name, value, part=column, baseline=majority, **about)


def main(arguments: list[str] | None = None) -> int:
    """Run the program. Return its exit code."""
    options = parse(BenchOptions, arguments, __doc__.splitlines()[0], "rewardbench")
    return events.run(lambda: compare(options, StopSignal()))


if __name__ == "__main__":
    sys.exit(main())
