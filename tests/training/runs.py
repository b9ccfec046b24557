"""Rows of runs in a state that an address needs, for the tables of permissions and pages."""

from hashlib import sha256
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from releases.models import Release
from training import rules
from training.finishing import NEEDED
from training.models import Artefact, ModelFamily, ModelVersion, Run, TrainingRule, Worker

CONTENT = b"[]"
#: The path of the file that the tables of permissions download.
PATH = "pairs.jsonl"


def run_of(release: Release, owner: Any, **values: Any) -> Run:
    """Return a run on a release, which a worker of the owner does."""
    families = ModelFamily.objects
    family, _is_new = families.get_or_create(
        study=release.study, targets=["helpfulness"], backbone="small", kind="reward"
    )
    worker, _is_new = Worker.objects.get_or_create(owner=owner, name="gpu-1")
    facts = {"study": release.study, "release": release, "family": family, "worker": worker}
    facts |= {"asked_because": "person", "asked_by": owner, "fence": 1, "state": "running"}
    facts |= {"heartbeat_at": timezone.now(), "stage": "training", "steps": 40, "steps_total": 100, "loss": 0.61}
    made: Run = Run.objects.create(**facts | values)
    return made


def done(release: Release, owner: Any, *paths: str, **values: Any) -> Run:
    """Return a run that is done, with a model version and files at these paths."""
    metric = {"figure": "agreement", "target": "helpfulness", "part": "test", "value": 0.71, "low": 0.65, "high": 0.77}
    ended = {"state": "done", "heartbeat_at": None, "finished_at": timezone.now(), "stage": "", "wall_s": 94.5}
    ended |= {"metrics": [metric | {"n": 200, "baseline": 0.5}], "preflight": {"pairs": 120}, "log": "A line\n"}
    run = run_of(release, owner, **ended | values)
    run.points.create(step=1, loss=0.7)
    for path in paths:
        store(run, path)
    ModelVersion.objects.create(study=run.study, family=run.family, run=run, number=1)
    return run


def failed(release: Release, owner: Any) -> Run:
    """Return a run that failed, with the pairs that its program named."""
    ended = {"state": "failed", "heartbeat_at": None, "finished_at": timezone.now(), "stage": "", "seed": 2}
    fault = {"code": "leak", "items": ["pair-1", "pair-2"]}
    return run_of(release, owner, **ended, reason="Two pairs are in both parts.", fault=fault, log="A line\n")


def store(run: Run, path: str) -> None:
    file = Artefact(study=run.study, run=run, fence=run.fence, path=path, byte_size=len(CONTENT))
    file.sha256 = sha256(CONTENT).hexdigest()
    default_storage.save(file.stored_name, ContentFile(CONTENT))
    file.save(force_insert=True)


def rule_of(study: Any, person: Any) -> TrainingRule:
    """Return the rule of a study for a moderation model."""
    return rules.set_rule(study, kind="moderation", targets=[], actor=person)


def of_matrix(world: Any, name: str) -> Run:
    """Return the run that an address of the table of permissions leads to."""
    release, owner = Release.objects.get(pk=world.made["release_id"]), world.people["researcher"]
    if name == "api:run_file":
        return done(release, owner, PATH)
    if name.endswith("again"):
        return run_of(release, owner, state="cancelled", heartbeat_at=None, finished_at=timezone.now(), stage="")
    if name == "api:run_items":
        version = ModelVersion.objects.get(pk=world.made["version_id"])
        return run_of(release, owner, purpose="score", version=version, options={"last_video": 0})
    run = run_of(release, owner)
    if name == "api:run_finish":
        for path in NEEDED[Run.Purpose.TRAIN]:
            store(run, path)
    return run
