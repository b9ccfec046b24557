"""Score a model against single held-out answers: metrics.json and predictions.parquet.

    python -m training.learn.evaluate --release my-study-1 --model run-1/model --out evaluation-1

Answers that were asked for because others disagreed are never scored against.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from diptych_client.release_folder.vocabulary import QUESTIONS
from training.learn import events, inputs, metrics, models
from training.learn.data import ANY_HARM, CHOICES, MISSING, TAGS, TEST, TIE, VIDEO_1
from training.learn.events import REFUSED, Failed, StopSignal, emit
from training.learn.inputs import Inputs
from training.learn.metrics import row
from training.learn.models import Model, tag_code
from training.learn.options import EvaluateOptions, parse

#: Rows of predictions that are written at a time.
ROWS = 20_000
REWARD_SCHEMA = pa.schema(
    {
        **dict.fromkeys(("target", "pair_id"), pa.string()),
        "annotation_id": pa.int64(),
        **dict.fromkeys(("cluster", "choice"), pa.string()),
        **dict.fromkeys(("score_0", "score_1"), pa.float32()),
        "seed": pa.int64(),
    }
)
MODERATION_SCHEMA = pa.schema(
    {
        **dict.fromkeys(("tag", "tv_pair_id", "cluster"), pa.string()),
        **dict.fromkeys(("positive", "n"), pa.int64()),
        "probability": pa.float32(),
        "seed": pa.int64(),
    }
)


@dataclass(eq=False)
class Answered:
    """Single answers to one question, with the scores of each seed.

    Attributes:
        answer: (n,) rows of the answers; choice (n,); cluster (n,).
        scores: (seeds, n, 2).
    """

    answer: np.ndarray
    choice: np.ndarray
    cluster: np.ndarray
    scores: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """Return by how much video 1 scores above video 0: (seeds, n)."""
        return np.asarray(self.scores[..., 1] - self.scores[..., 0])


def write_reward(model: Model, given: Inputs, out: Path, seed: int) -> list[dict[str, Any]]:
    """Write metrics.json and predictions.parquet of a reward model. Return the metrics."""
    part = given.tables.parts_of(given.tables.pair_prompt, seed)
    rows: list[dict[str, Any]] = []
    emit("stage", stage="evaluating", done=0, of=len(model.targets))
    with pq.ParquetWriter(aside := out / "predictions.part", REWARD_SCHEMA, compression="zstd") as writer:
        for place, target in enumerate(model.targets):
            test, validation = (answered(model, given, place, part == one) for one in (TEST, -1))
            rows += reward_figures(model, place, test, validation) + people(given, target)
            _write_answers(writer, model, given, target, test)
            emit("stage", stage="evaluating", done=place + 1, of=len(model.targets))
    return _end(out, aside, rows)


def answered(model: Model, given: Inputs, place: int, which_pairs: np.ndarray) -> Answered:
    """Return the answers to one target on these pairs, with scores. `which_pairs` is (pairs,) bool."""
    tables, found = given.tables, given.found
    choice = tables.answer_choice[:, QUESTIONS.index(model.targets[place])]
    clip = found.clip[tables.pair_videos]  # (pairs, 2)
    usable = which_pairs & (clip >= 0).all(1)
    answer = np.flatnonzero(usable[tables.answer_pair] & (choice != MISSING) & (tables.answer_scored == 1))
    pairs, of_answer = np.unique(tables.answer_pair[answer], return_inverse=True)
    prompt = tables.pair_prompt[pairs].astype(np.int64)
    scores = np.stack(
        [
            np.stack([given.outputs(head, prompt, clip[pairs, side])[:, place] for side in (0, 1)], -1)[of_answer]
            for head in model.heads
        ]
    )
    return Answered(
        answer, choice[answer], tables.prompt_cluster[tables.pair_prompt[tables.answer_pair[answer]]], scores
    )


def reward_figures(model: Model, place: int, test: Answered, validation: Answered) -> list[dict[str, Any]]:
    """Return the figures of one target. Each is the mean over the seeds of the seed's figure."""
    target, n, clusters = model.targets[place], len(test.answer), len(np.unique(test.cluster))
    if not n:
        return [row(target, "agreement", None, note="not defined: the release has no test answer to this question")]
    is_choice = test.choice != TIE
    thresholds = [
        metrics.best_threshold(*one)
        for one in zip(validation.difference, [validation.choice] * len(model.heads), strict=True)
    ]
    best = [metrics.best_threshold(one, test.choice) for one in test.difference]
    about = {"n": n, "clusters": clusters}
    majority = float(np.bincount(test.choice, minlength=3).max() / n)
    rows = [
        _mean(
            target,
            "agreement",
            _agreements(test, thresholds, np.ones(n, bool)),
            test.cluster,
            baseline=majority,
            **about,
        ),
        _mean(
            target,
            "agreement_best_threshold",
            _agreements(test, best, np.ones(n, bool)),
            test.cluster,
            baseline=majority,
            **about,
        ),
    ]
    some, of_some = test.cluster[is_choice], int(is_choice.sum())
    if not of_some:
        return rows
    about = {"n": of_some, "clusters": len(np.unique(some))}
    two = float(np.bincount(test.choice[is_choice], minlength=2).max() / of_some)
    rows.append(
        _mean(
            target,
            "agreement_no_ties",
            _agreements(test, [0.0] * len(model.heads), is_choice),
            some,
            baseline=two,
            **about,
        )
    )
    chance = np.stack(
        [_chance(one, model.eta(head)[place]) for one, head in zip(test.difference, model.heads, strict=True)]
    )
    chance, happened = chance[:, is_choice], (test.choice[is_choice] == VIDEO_1).astype(float)
    sums = np.mean([metrics.sums_by_cluster(metrics.calibration_sums(one, happened), some) for one in chance], 0)
    value, low, high, note = metrics.interval(sums, metrics.calibration_error)
    rows.append(row(target, "calibration_error", value, low=low, high=high, note=note, **about))
    likelihood = np.log(np.clip(np.where(happened == 1, chance, 1 - chance), 1e-12, 1)).mean(0)
    rows.append(_mean(target, "log_likelihood", likelihood, some, baseline=float(np.log(0.5)), **about))
    return rows


def people(given: Inputs, target: str) -> list[dict[str, Any]]:
    """Return how far two people agree on the random sample, and between which bounds the best model lies."""
    tables = given.tables
    choice = tables.answer_choice[:, QUESTIONS.index(target)]
    planned = (tables.answer_planned == 1) & (choice != MISSING) & (tables.pair_sampled[tables.answer_pair] == 1)
    counts = np.zeros((len(tables.pair_ids), TIE + 1))
    np.add.at(counts, (tables.answer_pair[planned], choice[planned]), 1)
    total = counts.sum(1)
    several = total > 1
    same, all_two = (counts * (counts - 1) / 2).sum(1)[several], (total * (total - 1) / 2)[several]
    cluster = tables.prompt_cluster[tables.pair_prompt[several]]
    about = {"part": "all", "n": int(several.sum()), "clusters": len(np.unique(cluster))}
    if not several.any():
        note = "not defined: no pair of the random sample has two answers"
        return [row(target, name, None, note=note, **about) for name in ("human_agreement", "ceiling")]
    value, low, high, note = metrics.interval(
        metrics.sums_by_cluster(np.stack([same, all_two], 1), cluster), metrics.ratio
    )
    rows = [row(target, "human_agreement", value, low=low, high=high, note=note, **about)]
    if (choice[planned] == TIE).any() or value < 0.5:
        why = "people may call a tie" if value >= 0.5 else "two people agree on less than half of the pairs"
        return [*rows, row(target, "ceiling", None, note=f"not defined: {why}", **about)]
    note = "between low and high: the best model can agree with people more than a second person does"
    return [*rows, row(target, "ceiling", None, low=value, high=metrics.ceiling(value), note=note, **about)]


def write_moderation(model: Model, given: Inputs, out: Path, seed: int) -> list[dict[str, Any]]:
    """Write metrics.json and predictions.parquet of a moderation model. Return the metrics."""
    tables = given.tables
    part = tables.parts_of(tables.video_prompt, seed)
    has = (given.found.clip >= 0) & (tables.video_tags_scored[:, -1] > 0)
    test, validation = (np.flatnonzero(has & (part == one)) for one in (TEST, -1))
    emit("stage", stage="evaluating", done=0, of=len(TAGS))
    chances, before = (_tag_chances(model, given, videos) for videos in (test, validation))
    cluster = tables.prompt_cluster[tables.video_prompt[test]]
    n, old_n = (tables.video_tags_scored[videos, -1] for videos in (test, validation))
    rows: list[dict[str, Any]] = []
    with pq.ParquetWriter(aside := out / "predictions.part", MODERATION_SCHEMA, compression="zstd") as writer:
        for place, tag in enumerate(TAGS):
            positive, old = (tables.video_tags_scored[videos, place] for videos in (test, validation))
            thresholds = [_mcc_threshold(one[:, place], old, old_n) for one in before]
            rows += tag_figures(tag, chances[:, :, place], positive, n, cluster, thresholds)
            _write_tags(writer, model, given, tag, test, chances[:, :, place], positive)
            emit("stage", stage="evaluating", done=place + 1, of=len(TAGS))
    return _end(out, aside, [*rows, _mean_precision(rows)])


def tag_figures(
    tag: str,
    chances: np.ndarray,
    positive: np.ndarray,
    n: np.ndarray,
    cluster: np.ndarray,
    thresholds: list[float | None],
) -> list[dict[str, Any]]:
    """Return the figures of one tag. `chances` is (seeds, videos)."""
    answers, positives = int(n.sum()), int(positive.sum())
    about = {"tag": tag_code(tag), "n": answers, "clusters": len(np.unique(cluster))}
    rows = [
        row("moderation", "positives", float(positives), **about),
        row("moderation", "negatives", float(answers - positives), **about),
    ]
    if not positives or positives == answers:
        why = f"not defined: {positives} of {answers} test answers have the tag"
        return rows + [row("moderation", name, None, note=why, **about) for name in ("average_precision", "mcc")]
    prevalence = positives / answers
    each = [metrics.average_precision_interval(one, positive, n, cluster) for one in chances]
    rows.append(_mean_of("average_precision", each, baseline=prevalence, **about))
    if any(one is None for one in thresholds):
        note = "not defined: no validation answer has the tag, so no threshold can be set"
        rows.append(row("moderation", "mcc", None, note=note, baseline=0.0, **about))
    else:
        said = [one > threshold for one, threshold in zip(chances, thresholds, strict=True)]
        sums = [metrics.sums_by_cluster(metrics.confusion_sums(one, positive, n), cluster) for one in said]
        rows.append(_mean_of("mcc", [metrics.interval(one, metrics.mcc) for one in sums], baseline=0.0, **about))
    if tag == ANY_HARM:
        sums = [metrics.sums_by_cluster(metrics.confusion_sums(one > 0.5, positive, n), cluster) for one in chances]
        each = [metrics.interval(one, metrics.accuracy) for one in sums]
        rows.append(_mean_of("agreement", each, baseline=max(prevalence, 1 - prevalence), **about))
    return rows


def _mean_precision(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean over the tags that are defined. Its interval is computed by whoever compares two models."""
    defined = [
        one
        for one in rows
        if one["figure"] == "average_precision" and one["value"] is not None and one["tag"] != ANY_HARM
    ]
    if not defined:
        return row("moderation", "mean_average_precision", None, note="not defined: no tag has positive test answers")
    value, prevalence = (float(np.mean([one[name] for one in defined])) for name in ("value", "baseline"))
    note = f"over {len(defined)} tags with positive test answers"
    about = {"n": max(one["n"] for one in defined), "clusters": max(one["clusters"] for one in defined)}
    return row("moderation", "mean_average_precision", value, baseline=prevalence, note=note, **about)


def _agreements(test: Answered, thresholds: list[float], which: np.ndarray) -> np.ndarray:
    """Return the agreement with each of these answers, as the mean over the seeds."""
    each = [
        metrics.agreement(one[which], test.choice[which], at)
        for one, at in zip(test.difference, thresholds, strict=True)
    ]
    return np.asarray(np.mean(each, 0))


def _mean(target: str, figure: str, values: np.ndarray, cluster: np.ndarray, **more: Any) -> dict[str, Any]:
    sums = metrics.sums_by_cluster(np.stack([values, np.ones(len(values))], 1), cluster)
    value, low, high, note = metrics.interval(sums, metrics.ratio)
    return row(target, figure, value, low=low, high=high, note=note, **more)


def _mean_of(figure: str, each: list[tuple[float, float | None, float | None, str]], **more: Any) -> dict[str, Any]:
    """Return a row with the mean over the seeds of value and bounds."""
    values = [value for value, _low, _high, _note in each]
    bounds = [(low, high) for _value, low, high, _note in each if low is not None and high is not None]
    low, high = np.mean(bounds, 0).tolist() if len(bounds) == len(each) else (None, None)
    return row("moderation", figure, float(np.mean(values)), low=low, high=high, note=each[0][3], **more)


def _chance(difference: np.ndarray, eta: float) -> np.ndarray:
    """Return the chance of video 1 among answers that chose a video."""
    one, zero = (1 / (1 + np.exp(np.clip(-(sign * difference - eta), -60, 60))) for sign in (1, -1))
    return np.asarray(one / (one + zero))


def _tag_chances(model: Model, given: Inputs, videos: np.ndarray) -> np.ndarray:
    """Return (seeds, videos, tags)."""
    import torch

    prompt, clip = given.tables.video_prompt[videos].astype(np.int64), given.found.clip[videos]
    outputs = [torch.from_numpy(given.outputs(head, prompt, clip)) for head in model.heads]
    return np.stack([np.asarray(model.chances(one)) for one in outputs])


def _mcc_threshold(chance: np.ndarray, positive: np.ndarray, n: np.ndarray) -> float | None:
    """Return the threshold with the best coefficient on validation, or None if no answer has the tag there."""
    if not positive.sum() or positive.sum() == n.sum():
        return None
    candidates = np.unique(np.quantile(chance, np.linspace(0, 1, 101)))
    sums = np.stack([metrics.confusion_sums(chance > one, positive, n).sum(0) for one in candidates])
    return float(candidates[int(np.nanargmax(np.nan_to_num(metrics.mcc(sums), nan=-1)))])


def _write_answers(writer: pq.ParquetWriter, model: Model, given: Inputs, target: str, test: Answered) -> None:
    tables = given.tables
    for scores, seed in zip(test.scores, model.about["seeds"], strict=True):
        for at in range(0, len(test.answer), ROWS):
            some = slice(at, at + ROWS)
            answer = test.answer[some]
            written = {
                "target": [target] * len(answer),
                "pair_id": [tables.pair_ids[int(one)] for one in tables.answer_pair[answer]],
                "annotation_id": [int(one) if one >= 0 else None for one in tables.answer_id[answer]],
                "cluster": [tables.clusters[one] for one in test.cluster[some]],
                "choice": [CHOICES[one] for one in test.choice[some]],
                "score_0": scores[some, 0],
                "score_1": scores[some, 1],
                "seed": [seed] * len(answer),
            }
            writer.write_table(pa.table(written, schema=REWARD_SCHEMA))


def _write_tags(
    writer: pq.ParquetWriter,
    model: Model,
    given: Inputs,
    tag: str,
    videos: np.ndarray,
    chances: np.ndarray,
    positive: np.ndarray,
) -> None:
    tables = given.tables
    for chance, seed in zip(chances, model.about["seeds"], strict=True):
        for at in range(0, len(videos), ROWS):
            some = videos[at : at + ROWS]
            written = {
                "tag": [tag_code(tag)] * len(some),
                "tv_pair_id": [tables.video_ids[int(one)] for one in some],
                "cluster": [tables.clusters[one] for one in tables.prompt_cluster[tables.video_prompt[some]]],
                "positive": positive[at : at + ROWS],
                "n": tables.video_tags_scored[some, -1],
                "probability": chance[at : at + ROWS],
                "seed": [seed] * len(some),
            }
            writer.write_table(pa.table(written, schema=MODERATION_SCHEMA))


def _end(out: Path, aside: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    aside.replace(out / "predictions.parquet")
    inputs.write_json(out / "metrics.json", rows)
    return rows


def evaluate(options: EvaluateOptions, stop: StopSignal) -> None:
    """Evaluate a model on a release. Raise Failed and Stopped."""
    began = time.monotonic()
    model = models.load(options.model)
    seed = model.about["seeds"][0]
    inputs.start(options)
    targets = model.targets if model.kind == "reward" else ()
    emit("started", steps=0, model=model.kind, targets=list(targets), backbone=model.about["backbone"], seed=seed)
    given = inputs.prepare(options, targets, stop, model.backbone, model.reduction)
    if not (given.tables.prompt_part == TEST).any():
        raise Failed("too_small", "The release has no prompts in the part test.", REFUSED)
    rows = (write_reward if model.kind == "reward" else write_moderation)(model, given, options.out, seed)
    inputs.finish(options, began)
    emit("done", metrics=rows)


def main(arguments: list[str] | None = None) -> int:
    """Run the program. Return its exit code."""
    options = parse(EvaluateOptions, arguments, __doc__.splitlines()[0], "evaluate")
    return events.run(lambda: evaluate(options, StopSignal()))


if __name__ == "__main__":
    sys.exit(main())
