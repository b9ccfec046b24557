"""Before a run: count what teaches nothing or leaks. Leaks are refused; for the rest a policy is stored with the run.

python -m training.learn.preflight --release my-study-1
"""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from diptych_client.release_folder.vocabulary import QUESTIONS
from training.learn import data, events, frames
from training.learn.data import EVAL, TEST, TIE, TRAIN, VIDEO_0, VIDEO_1, Tables
from training.learn.events import REFUSED, Failed
from training.learn.frames import Frames
from training.learn.options import POLICIES, option, parse

#: Fewer answers than these can all be for video 0 by chance.
LEAST_ONE_SIDED = 10
MOST_EXAMPLES = 10
LEAKS = {
    "cluster_in_both_parts": "A cluster of prompts is in train and in test",
    "video_in_both_parts": "A video is in train and in test",
    "frames_in_both_parts": "The same frames are in train and in test",
}


@dataclass(eq=False)
class Rows:
    """What the checks need of each pair and of each answer, as numbers. Equal numbers mean equal things.

    Attributes:
        part, cluster, prompt: of each pair.
        videos, frames: (pairs, 2); frames −1: none can be read.
        pair, choice: of each answer; choice (answers, questions).
    """

    part: np.ndarray
    cluster: np.ndarray
    prompt: np.ndarray
    videos: np.ndarray
    frames: np.ndarray
    pair: np.ndarray
    choice: np.ndarray
    names: list[str]
    cluster_names: list[str]


def of_tables(tables: Tables, found: Frames, targets: tuple[str, ...]) -> Rows:
    """Return the rows of a release."""
    prompt = tables.pair_prompt
    return Rows(
        part=tables.prompt_part[prompt],
        cluster=tables.prompt_cluster[prompt],
        prompt=prompt,
        videos=tables.video_content[tables.pair_videos],
        frames=found.clip[tables.pair_videos],
        pair=tables.answer_pair,
        choice=tables.answer_choice[:, [QUESTIONS.index(one) for one in targets]],
        names=tables.pair_ids,  # type: ignore[arg-type]
        cluster_names=tables.clusters,
    )


def of_lines(lines: Iterable[Mapping[str, Any]]) -> Rows:
    """Return the rows of records with `prompt`, `cluster`, `split`, `video_0`, `frames_0`, …, `better`."""
    numbers: dict[tuple[str, Any], int] = {}

    def number(kind: str, value: Any) -> int:
        return numbers.setdefault((kind, value), sum(key[0] == kind for key in numbers))

    records = list(lines)
    # One pair may have several answers, so pairs are numbered by their prompt, part and videos.
    pairs = {number("pair", _pair(one)): one for one in records}
    of_pairs = [pairs[key] for key in sorted(pairs)]
    return Rows(
        part=np.array(
            [{"train": TRAIN, "test": TEST, "eval": EVAL}.get(one["split"], data.EXCLUDED) for one in of_pairs]
        ),
        cluster=np.array([number("cluster", one["cluster"]) for one in of_pairs]),
        prompt=np.array([number("prompt", _pair(one)[:3]) for one in of_pairs]),
        videos=np.array([[number("video", one[f"video_{side}"]) for side in (0, 1)] for one in of_pairs]),
        frames=np.array([[number("frames", one[f"frames_{side}"]) for side in (0, 1)] for one in of_pairs]),
        pair=np.array([number("pair", _pair(one)) for one in records]),
        choice=np.array([[data.CHOICES.index(one["better"])] for one in records]),
        names=[f"{one['video_0']} and {one['video_1']}" for one in of_pairs],
        cluster_names=[key[1] for key in numbers if key[0] == "cluster"],
    )


def _pair(one: Mapping[str, Any]) -> tuple[str, ...]:
    return (one["prompt"], one["cluster"], one["split"], one["video_0"], one["video_1"])


@dataclass(eq=False)
class Checked:
    """The report, and the rows that each finding means.

    Attributes:
        same_frames, contradictions, swapped: (pairs,) bool.
        report: as it is printed and stored.
    """

    same_frames: np.ndarray
    contradictions: np.ndarray
    swapped: np.ndarray
    report: dict[str, Any] = field(default_factory=dict)


def check(rows: Rows, targets: tuple[str, ...], policy: Mapping[str, str] | None = None) -> Checked:
    """Count what teaches nothing or leaks. Nothing is refused here: see `refuse`."""
    policy = policy or {name: choices[0] for name, choices in POLICIES.items()}
    same = (rows.frames[:, 0] == rows.frames[:, 1]) & (rows.frames[:, 0] >= 0)
    both = np.stack([_any(rows, rows.choice == one) for one in (VIDEO_0, VIDEO_1)])  # (2, pairs, targets)
    against = np.asarray(both.all(0))  # (pairs, targets)
    checked = Checked(same, np.asarray(against.any(1)), _swapped(rows))
    counted = {
        "same_frames": (int(same.sum()), _examples(rows, same)),
        "contradictions": (int(checked.contradictions.sum()), _examples(rows, checked.contradictions)),
        "swapped": (int(checked.swapped.sum()), _examples(rows, checked.swapped)),
        "ties": (int((rows.choice == TIE).sum()), []),
        "always_video_0": _one_sided(rows, targets),
    }
    checked.report = {
        "pairs": _by_part(rows.part),
        "answers": _by_part(rows.part[rows.pair]),
        "findings": {
            name: {"count": count, "policy": policy[name], "examples": examples}
            for name, (count, examples) in counted.items()
        },
        "ties_by_target": {one: int((rows.choice[:, place] == TIE).sum()) for place, one in enumerate(targets)},
        "leaks": {name: leak for name in LEAKS if (leak := _leak(rows, name))["count"]},
    }
    return checked


def refuse(report: dict[str, Any]) -> None:
    """Raise Failed for a leak, and for one-sided answers if the policy is to refuse them."""
    if report["leaks"]:
        first = next(iter(report["leaks"]))
        counts = "; ".join(f"{LEAKS[name]}: {leak['count']} times" for name, leak in report["leaks"].items())
        advice = "Exclude the prompts of one part, and make the release again. Else a test measures what was memorised."
        raise Failed("leak", f"{counts}. {advice}", REFUSED, report["leaks"][first]["examples"])
    one_sided = report["findings"]["always_video_0"]
    if one_sided["count"] and one_sided["policy"] == "refuse":
        raise Failed("one_sided", "Every training answer chose video_0. Draw anew which video is number 0.", REFUSED)


def _any(rows: Rows, answers: np.ndarray) -> np.ndarray:
    """Return for each pair whether any of its answers holds: (pairs, targets) of (answers, targets)."""
    result = np.zeros((len(rows.part), answers.shape[1]), bool)
    np.logical_or.at(result, rows.pair, answers)
    return result


def _swapped(rows: Rows) -> np.ndarray:
    """Return the pairs that an earlier pair of the same prompt shows the other way round, or once more."""
    seen = np.sort(rows.videos, axis=1)
    keys = np.stack([rows.prompt, seen[:, 0], seen[:, 1]], 1)
    _values, first = np.unique(keys, axis=0, return_index=True)
    again = np.ones(len(keys), bool)
    again[first] = False
    return again


def _one_sided(rows: Rows, targets: tuple[str, ...]) -> tuple[int, list[str]]:
    """Return how many training answers there are to questions that were always answered with video 0."""
    decided = rows.choice[rows.part[rows.pair] == TRAIN]
    found = {}
    for place, target in enumerate(targets):
        zero, one = (int((decided[:, place] == choice).sum()) for choice in (VIDEO_0, VIDEO_1))
        if zero >= LEAST_ONE_SIDED and not one:
            found[target] = zero
    return sum(found.values()), list(found)


def _leak(rows: Rows, name: str) -> dict[str, Any]:
    values = {"cluster_in_both_parts": rows.cluster[:, None], "video_in_both_parts": rows.videos}.get(name, rows.frames)
    train, test = (np.unique(values[np.isin(rows.part, parts)]) for parts in ([TRAIN], [TEST, EVAL]))
    common = np.intersect1d(train, test, assume_unique=True)
    common = common[common >= 0] if name == "frames_in_both_parts" else common
    if name == "cluster_in_both_parts":
        examples = [rows.cluster_names[one] for one in common[:MOST_EXAMPLES]]
    else:
        examples = _examples(rows, np.isin(rows.part, [TEST, EVAL]) & np.isin(values, common).any(1))
    return {"count": len(common), "examples": examples}


def _examples(rows: Rows, which: np.ndarray) -> list[str]:
    return [rows.names[int(row)] for row in np.flatnonzero(which)[:MOST_EXAMPLES]]


def _by_part(parts: np.ndarray) -> dict[str, int]:
    return {name: int((parts == number).sum()) for number, name in enumerate(data.PARTS)}


@dataclass(frozen=True)
class PreflightOptions:
    """Options of `preflight`."""

    release: Path = field(metadata={"help": "release folder"})
    targets: tuple[str, ...] = option(QUESTIONS, "questions to look at", choices=QUESTIONS)
    json: bool = option(False, "print the report as JSON, not as a table")


def main(arguments: list[str] | None = None) -> int:
    """Print the report. Return 3 if a run would be refused."""
    options = parse(PreflightOptions, arguments, __doc__.splitlines()[0], "preflight")
    try:
        release = data.open_release(options.release)
        tables = data.read(release)
        checked = check(of_tables(tables, frames.find(release, tables), options.targets), options.targets)
        print(json.dumps(checked.report) if options.json else _table(checked.report))  # noqa: T201
        refuse(checked.report)
    except Failed as failed:
        print(failed, file=sys.stderr)  # noqa: T201
        return failed.exit_code
    return events.OK


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"{kind:<24}" + "".join(f"{part}: {n:<8}" for part, n in report[kind].items()) for kind in ("pairs", "answers")
    ]
    lines += [f"{name:<24}{one['count']:<8} policy: {one['policy']}" for name, one in report["findings"].items()]
    lines += [
        f"{name:<24}{one['count']:<8} refused: {', '.join(one['examples'][:3])}"
        for name, one in report["leaks"].items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
