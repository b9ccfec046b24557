"""An attempt to break each constraint of training, for `tests/constraints/`. `w` is its world."""

from datetime import UTC, datetime
from typing import Any

from releases.models import Release
from training.models import Artefact, ComparedCluster, ModelFamily, ModelVersion, Run, RunPoint, TrainingRule, Worker

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def worker(w: Any, **values: Any) -> Worker:
    return Worker.objects.create(**{"owner": w.person, "name": "gpu-1"} | values)


def family(w: Any, **values: Any) -> ModelFamily:
    facts = {"study": w.study, "kind": "reward", "targets": ["helpfulness"], "backbone": "small"}
    return ModelFamily.objects.create(**facts | values)


def rule(w: Any, **values: Any) -> TrainingRule:
    of = values.pop("family", None) or family(w)
    return TrainingRule.objects.create(**{"study": w.study, "family": of} | values)


def ended_release(w: Any) -> Release:
    return w.data_release(number=Release.objects.count() + 1, state="cancelled", finished_at=NOON)


def run(w: Any, **values: Any) -> Run:
    """Return a run on a release of the first study. It waits, unless `values` say otherwise."""
    facts = {"study": w.study, "asked_because": "person"}
    facts |= {"family": values.pop("family", None) or family(w)}
    facts |= {"release": values.pop("release", None) or ended_release(w)}
    return Run.objects.create(**facts | values)


def two_runs(w: Any, **values: Any) -> None:
    release, of = w.data_release(), family(w)
    for _ in range(2):
        run(w, release=release, family=of, **values)


def point(w: Any, **values: Any) -> RunPoint:
    return RunPoint.objects.create(**{"run": values.pop("run", None) or run(w), "step": 1, "loss": 0.5} | values)


def artefact(w: Any, **values: Any) -> Artefact:
    facts = {"study": w.study, "fence": 1, "path": "model/model.json", "sha256": "0" * 64, "byte_size": 1}
    return Artefact.objects.create(**facts | {"run": values.pop("run", None) or run(w)} | values)


def version(w: Any, **values: Any) -> ModelVersion:
    of = values.pop("run", None) or run(w)
    facts = {"study": w.study, "family": of.family, "number": 1, "run": of}
    return ModelVersion.objects.create(**facts | values)


def promoted(w: Any, of: ModelFamily, number: int = 1) -> ModelVersion:
    decided = {"state": "promoted", "decided_at": NOON, "reason": "It is the first."}
    return version(w, run=run(w, family=of), number=number, **decided)


def two_promoted(w: Any) -> None:
    of = family(w)
    for number in (1, 2):
        promoted(w, of, number)


def other_family(w: Any) -> ModelFamily:
    return family(w, targets=["harmlessness"])


def compared(w: Any, **values: Any) -> ComparedCluster:
    of = values.pop("version", None) or version(w)
    return ComparedCluster.objects.create(**{"family": of.family, "version": of, "cluster": "0" * 64} | values)


BROKEN_TRAINING = {
    "worker_name_once": lambda w: [worker(w) for _ in range(2)],
    "worker_has_name": lambda w: worker(w, name=""),
    "model_family_once": lambda w: [family(w) for _ in range(2)],
    "model_family_kind_has_targets": lambda w: family(w, kind="moderation"),
    "model_family_targets_known": lambda w: family(w, targets=["beauty"]),
    "model_family_has_backbone": lambda w: family(w, backbone=""),
    "training_rule_once": lambda w: [rule(w, family=of) for of in [family(w)] * 2],
    "training_rule_wants_new_pairs": lambda w: rule(w, least_new_pairs=0),
    "training_rule_family_same_study": lambda w: rule(w, family=family(w, study=w.other)),
    "run_state_known": lambda w: run(w, state="lost", finished_at=NOON),
    "run_failed_has_reason": lambda w: run(w, state="failed", finished_at=NOON),
    "run_running_has_heartbeat": lambda w: run(w, state="running"),
    "run_waits_only_while_waiting": lambda w: run(w, state="cancelled", finished_at=NOON, wait_until=NOON),
    "run_finished_has_moment": lambda w: run(w, state="cancelled"),
    "run_one_open": two_runs,
    "run_once_by_rule": lambda w: two_runs(w, asked_because="rule", state="cancelled", finished_at=NOON),
    "run_because_known": lambda w: run(w, asked_because="weather"),
    "run_purpose_has_version": lambda w: run(w, purpose="evaluate"),
    "run_seeds_range": lambda w: run(w, seeds=0),
    "run_done_has_metrics": lambda w: run(w, state="done", finished_at=NOON, worker=worker(w)),
    "run_wall_from_zero": lambda w: run(w, wall_s=-1),
    "run_memory_of_gpus": lambda w: run(w, gpu_memory_mib=1),
    "run_release_same_study": lambda w: run(w, release=w.data_release(study=w.other)),
    "run_family_same_study": lambda w: run(w, family=family(w, study=w.other)),
    "run_version_same_family": lambda w: run(w, purpose="evaluate", family=other_family(w), version=version(w)),
    "run_point_once": lambda w: [point(w, run=of) for of in [run(w)] * 2],
    "run_point_part_known": lambda w: point(w, part="test"),
    "run_point_finite": lambda w: point(w, loss=float("nan")),
    "artefact_path": lambda w: [artefact(w, run=of) for of in [run(w)] * 2],
    "artefact_path_form": lambda w: artefact(w, path="../secret"),
    "artefact_sha256_form": lambda w: artefact(w, sha256="x"),
    "artefact_run_same_study": lambda w: artefact(w, study=w.other),
    "model_version_number": lambda w: [version(w, run=run(w, family=of, seed=n)) for of in [family(w)] for n in (1, 2)],
    "model_version_one_promoted": two_promoted,
    "model_version_number_from_one": lambda w: version(w, number=0),
    "model_version_state_known": lambda w: version(w, state="best", decided_at=NOON, reason="x"),
    "model_version_decision_known": lambda w: version(w, decision="nice"),
    "model_version_decided_with_moment": lambda w: version(w, state="kept"),
    "model_version_whole_interval": lambda w: version(w, low=0.2, high=0.1),
    "model_version_comparison_from_one": lambda w: version(w, comparison=0),
    "model_version_family_same_study": lambda w: version(w, study=w.other),
    "model_version_run_same_family": lambda w: version(w, family=other_family(w)),
    "model_version_against_same_family": lambda w: version(w, against=promoted(w, other_family(w))),
    "compared_cluster_once": lambda w: [compared(w, version=of) for of in [version(w)] * 2],
    "compared_cluster_version_same_family": lambda w: compared(w, family=other_family(w)),
}
#: Unique together with the primary key: composite foreign keys point at them.
TARGETS = {
    "model_family_study_id",
    "run_study_id",
    "run_family_id",
    "model_version_study_id",
    "model_version_family_id",
}
