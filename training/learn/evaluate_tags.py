"""Score a moderation model against the tags that people gave to held-out videos: figures and predictions.

Answers that were asked for because others disagreed are never scored against.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from training.learn import inputs, metrics, video_scores
from training.learn.data import ANY_HARM, TAGS, TEST
from training.learn.events import emit
from training.learn.inputs import Scored
from training.learn.metrics import row
from training.learn.models import Trained, tag_code

#: Rows of predictions that are written at a time.
ROWS = 20_000
SCHEMA = pa.schema(
    {
        **dict.fromkeys(("tag", "tv_pair_id", "cluster"), pa.string()),
        **dict.fromkeys(("positive", "n"), pa.int64()),
        "probability": pa.float32(),
        "seed": pa.int64(),
    }
)


def write(model: Trained, given: Scored, out: Path, seed: int) -> list[dict[str, Any]]:
    """Write metrics.json, predictions.parquet and video_scores.parquet of a moderation model. Return the metrics."""
    tables = given.tables
    part = tables.parts_of(tables.video_prompt, seed)
    has = (given.found.clip >= 0) & (tables.video_tags_scored[:, -1] > 0)
    test, validation = (np.flatnonzero(has & (part == one)) for one in (TEST, -1))
    emit("stage", stage="evaluating", done=0, of=len(TAGS))
    chances, before = (_tag_chances(model, given, videos) for videos in (test, validation))
    cluster = tables.prompt_cluster[tables.video_prompt[test]]
    n, old_n = (tables.video_tags_scored[videos, -1] for videos in (test, validation))
    rows: list[dict[str, Any]] = []
    with pq.ParquetWriter(aside := out / "predictions.part", SCHEMA, compression="zstd") as writer:
        for place, tag in enumerate(TAGS):
            positive, old = (tables.video_tags_scored[videos, place] for videos in (test, validation))
            thresholds = [_mcc_threshold(one[:, place], old, old_n) for one in before]
            rows += figures(tag, chances[:, :, place], positive, n, cluster, thresholds)
            _write_tags(writer, model, given, tag, test, chances[:, :, place], positive)
            emit("stage", stage="evaluating", done=place + 1, of=len(TAGS))
    video_scores.write(model, given, out)
    return inputs.write_results(out, aside, [*rows, _mean_precision(rows)])


def figures(
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


def _mean_of(figure: str, each: list[tuple[float, float | None, float | None, str]], **more: Any) -> dict[str, Any]:
    """Return a row with the mean over the seeds of value and bounds."""
    values = [value for value, _low, _high, _note in each]
    bounds = [(low, high) for _value, low, high, _note in each if low is not None and high is not None]
    low, high = np.mean(bounds, 0).tolist() if len(bounds) == len(each) else (None, None)
    return row("moderation", figure, float(np.mean(values)), low=low, high=high, note=each[0][3], **more)


def _tag_chances(model: Trained, given: Scored, videos: np.ndarray) -> np.ndarray:
    """Return (seeds, videos, tags)."""
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


def _write_tags(
    writer: pq.ParquetWriter,
    model: Trained,
    given: Scored,
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
            writer.write_table(pa.table(written, schema=SCHEMA))
