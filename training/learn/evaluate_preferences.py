"""Score a reward model against single held-out answers: figures and predictions.

Answers that were asked for because others disagreed are never scored against.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from diptych_client.release_folder.vocabulary import QUESTIONS
from training.learn import inputs, metrics, video_scores
from training.learn.data import CHOICES, MISSING, TEST, TIE, VIDEO_1
from training.learn.events import emit
from training.learn.inputs import Scored
from training.learn.metrics import row
from training.learn.models import Trained

#: Rows of predictions that are written at a time.
ROWS = 20_000
SCHEMA = pa.schema(
    {
        **dict.fromkeys(("target", "pair_id"), pa.string()),
        "annotation_id": pa.int64(),
        **dict.fromkeys(("cluster", "choice"), pa.string()),
        **dict.fromkeys(("score_0", "score_1"), pa.float32()),
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


def write(model: Trained, given: Scored, out: Path, seed: int) -> list[dict[str, Any]]:
    """Write metrics.json, predictions.parquet and video_scores.parquet of a reward model. Return the metrics."""
    part = given.tables.parts_of(given.tables.pair_prompt, seed)
    rows: list[dict[str, Any]] = []
    emit("stage", stage="evaluating", done=0, of=len(model.targets))
    with pq.ParquetWriter(aside := out / "predictions.part", SCHEMA, compression="zstd") as writer:
        for place, target in enumerate(model.targets):
            test, validation = (answered(model, given, place, part == one) for one in (TEST, -1))
            rows += figures(model, place, test, validation) + people(given, target)
            _write_answers(writer, model, given, target, test)
            emit("stage", stage="evaluating", done=place + 1, of=len(model.targets))
    video_scores.write(model, given, out)
    return inputs.write_results(out, aside, rows)


def answered(model: Trained, given: Scored, place: int, which_pairs: np.ndarray) -> Answered:
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


def figures(model: Trained, place: int, test: Answered, validation: Answered) -> list[dict[str, Any]]:
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


def people(given: Scored, target: str) -> list[dict[str, Any]]:
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


def _chance(difference: np.ndarray, eta: float) -> np.ndarray:
    """Return the chance of video 1 among answers that chose a video."""
    one, zero = (1 / (1 + np.exp(np.clip(-(sign * difference - eta), -60, 60))) for sign in (1, -1))
    return np.asarray(one / (one + zero))


def _write_answers(writer: pq.ParquetWriter, model: Trained, given: Scored, target: str, test: Answered) -> None:
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
            writer.write_table(pa.table(written, schema=SCHEMA))
