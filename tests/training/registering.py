"""Runs that are done, with predictions of planted quality, for tests of the registry."""

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.utils import timezone

from accounts.models import User
from releases.models import Release
from tests import factories
from training import claims, finishing, queueing, registry, uploads
from training.claims import Offer
from training.models import ModelFamily, ModelVersion, Run, Worker
from training.queueing import Wanted

CLUSTERS = 60


def clusters(count: int = CLUSTERS, *, first: int = 0) -> list[str]:
    return [f"{number:064x}" for number in range(first, first + count)]


def reward_rows(right: float, of: Sequence[str], *, answers: int = 4, seeds: int = 1) -> list[dict[str, Any]]:
    """Return predictions of `answers` answers in each cluster, of which the share `right` is correct.

    Clusters differ a little, so that the interval has a width. The same `of` gives the same answers.
    """
    rows = []
    for place, cluster in enumerate(of):
        for at in range(answers):
            is_right = (at + (place % answers) / answers) / answers < right
            for seed in range(1, seeds + 1):
                choice = ("video_0", "video_1")[(place + at) % 2]
                score = (1.0 if choice == "video_1" else -1.0) * (1 if is_right else -1)
                rows.append(
                    {"target": "helpfulness", "pair_id": f"{place}-{at}", "annotation_id": int(cluster, 16) * 100 + at}
                    | {"cluster": cluster, "choice": choice, "score_0": 0.0, "score_1": score, "seed": seed}
                )
    return rows


def tag_rows(of: Sequence[str], *, signal: bool = True) -> list[dict[str, Any]]:
    """Return predictions of two tags on a video in each cluster. Every fifth has S1 and any harm, and none has S2."""
    return [
        {"tag": tag, "tv_pair_id": cluster, "cluster": cluster, "n": 1, "seed": 1}
        | {"positive": positive, "probability": 0.3 + 0.5 * positive * signal + 0.001 * (place % 7)}
        for tag in ("S1", "S2", "any_harm")
        for place, cluster in enumerate(of)
        for positive in [int(place % 5 == 0 and tag != "S2")]
    ]


METRICS = [
    {"target": "helpfulness", "figure": "agreement_no_ties", "part": "test", "tag": None, "value": 0.75, "low": 0.7}
    | {"high": 0.8, "n": 240, "clusters": 60, "baseline": 0.52, "note": ""},
    {"target": "helpfulness", "figure": "human_agreement", "part": "all", "tag": None, "value": 0.8, "low": 0.76}
    | {"high": 0.84, "n": 100, "clusters": 60, "baseline": None, "note": ""},
    {"target": "helpfulness", "figure": "ceiling", "part": "all", "tag": None, "value": None, "low": 0.8}
    | {"high": 0.887, "n": 100, "clusters": 60, "baseline": None, "note": ""},
]
TAG_METRICS = [
    {"target": "moderation", "figure": figure, "part": "test", "tag": tag, "value": value, "low": None, "high": None}
    | {"n": 60, "clusters": 60, "baseline": baseline, "note": note}
    for tag, figure, value, baseline, note in (
        ("S1", "positives", 12.0, None, ""),
        ("S1", "negatives", 48.0, None, ""),
        ("S1", "average_precision", 0.9, 0.2, ""),
        ("S2", "positives", 0.0, None, ""),
        ("S2", "negatives", 60.0, None, ""),
        ("S2", "average_precision", None, None, "not defined: 0 of 60 test answers have the tag"),
        (None, "mean_average_precision", 0.9, 0.2, "over 1 tags with positive test answers"),
    )
]


def parquet(rows: list[dict[str, Any]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


def owner(study: Any) -> User:
    """Return the person whose worker does the runs of these tests."""
    found = User.objects.filter(username="worker-owner").first()
    return found or factories.member(study, "researcher", username="worker-owner")


def work(
    run: Run, rows: list[dict[str, Any]], *, metrics: Sequence[Any] = METRICS, scores: Sequence[Any] = ()
) -> ModelVersion | None:
    """Do a waiting run as a worker does: claim it, upload its files, and finish it. scores: of videos."""
    mine = claims.claim(owner(run.study), Offer(name="gpu-1"))
    assert mine is not None
    assert mine.pk == run.pk
    files = {"metrics.json": b"[]", "predictions.parquet": parquet(rows)}
    if run.purpose == Run.Purpose.TRAIN:
        files |= {"model/model.safetensors": b"weights", "model/model.json": b"{}", "model/README.md": b"# Card"}
    if scores:
        files["video_scores.parquet"] = parquet(list(scores))
    digests = {}
    for path, content in files.items():
        digests[path] = hashlib.sha256(content).hexdigest()
        given = {"sha256": digests[path], "size": len(content), "read": io.BytesIO(content).read}
        uploads.store(mine, mine.fence, path, **given)
    return finishing.finish(mine, mine.fence, metrics=metrics, files=digests, wall_s=1.5)


def trained(
    release: Release,
    rows: list[dict[str, Any]],
    *,
    kind: str = "reward",
    seed: int = 1,
    targets: Sequence[str] = ("helpfulness",),
    scores: Sequence[Any] = (),
) -> ModelVersion:
    """Train a version on a release, which is a candidate."""
    targets = [] if kind == "moderation" else [*targets]
    wanted = Wanted(kind=kind, targets=targets, seed=seed, seeds=1)
    run = queueing.ask(release, wanted, actor=owner(release.study))
    made = work(run, rows, metrics=TAG_METRICS if kind == "moderation" else METRICS, scores=scores)
    assert made is not None
    return made


def decided(release: Release, rows: list[dict[str, Any]], **values: Any) -> ModelVersion:
    """Train a version, and return it as it is after its decision."""
    made = trained(release, rows, **values)
    registry.decide_waiting()
    made.refresh_from_db()
    return made


def promoted(release: Release, person: User, *, number: int = 1) -> ModelVersion:
    """Return a promoted version with metrics but without files, written without any run of a program."""
    about = {"targets": ["helpfulness"], "kind": "reward", "backbone": "small"}
    family = ModelFamily.objects.get_or_create(study=release.study, **about)[0]
    worker = Worker.objects.get_or_create(owner=person, name="gpu-1")[0]
    done = {"state": "done", "worker": worker, "metrics": METRICS, "finished_at": timezone.now()}
    run = Run.objects.create(study=release.study, release=release, family=family, asked_because="person", **done)
    decided = {"state": "promoted", "decision": "first", "reason": "It is the first.", "decided_at": timezone.now()}
    decided |= {"low": 0.2, "high": 0.3, "clusters": 60, "comparison": 1}
    decided |= {"reliability": {"helpfulness": [{"predicted": 0.2, "observed": 0.3, "n": 50}]}}
    return ModelVersion.objects.create(study=release.study, family=family, run=run, number=number, **decided)
