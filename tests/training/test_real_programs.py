"""The whole way with the real training programs: run, worker, model version, decision, next version, scores."""

import hashlib

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from diptych.refusals import Refused
from releases.models import Release, ReleaseFamily
from tests.training.training import queued, token_of
from training import queueing, registry
from training.models import ModelVersion, Run
from training.worker.executors import Local
from training.worker.looping import Worker
from training.worker.server import Server

pytest.importorskip("torch")

from tests.learn import checkpoints, planted
from tests.learn.test_embed import encoder  # noqa: F401  # a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]


def stored(study, world, formats=("jsonl",)):
    """Store a planted release as one that the server has made."""
    facts = {"number": 1, "filter": {}, "formats": list(formats), "licence": "CC0-1.0", "finished_at": timezone.now()}
    facts |= {
        "state": "done",
        "manifest": {"files": []},
        "frozen_at": timezone.now(),
        "family": ReleaseFamily.objects.create(study=study),
    }
    release = Release.objects.create(study=study, **facts)
    for path in sorted(world.folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            about = {"path": path.relative_to(world.folder).as_posix(), "byte_size": len(content)}
            about |= {"sha256": hashlib.sha256(content).hexdigest(), "kind": "jsonl"}
            file = release.files.create(study=study, **about)
            default_storage.save(file.stored_name, ContentFile(content))
    return release


@pytest.fixture
def work_through(server, researcher, tmp_path):
    """Return a function that lets a worker do what waits, and decides about what it made."""

    def work() -> None:
        worker = Worker(Server(server, token_of(researcher)), Local(), tmp_path / "worker", name="gpu-1", beat_s=1)
        while worker.work_through():
            registry.decide_waiting()

    return work


def test_two_versions_are_trained_compared_and_decided(study, tmp_path, work_through):
    release = stored(study, planted.write(tmp_path / "planted", planted.World()))
    first = queued(release, seeds=1)
    work_through()
    first.refresh_from_db()
    assert (first.state, first.reason) == ("done", ""), first.log
    version = ModelVersion.objects.get(run=first)
    assert (version.state, version.decision) == ("promoted", "first")
    assert version.clusters >= 50

    second = queued(release, seeds=1, seed=2)
    work_through()
    second.refresh_from_db()
    assert (second.state, second.reason) == ("done", ""), second.log
    later = ModelVersion.objects.get(run=second)
    assert later.comparison == 2
    assert later.decision in {"better", "not_worse", "worse", "undecided"}
    assert Run.objects.filter(purpose="evaluate").count() <= 1


@pytest.mark.parametrize("kind", ["embed", "qwen-vl", "video-llava"])
def test_a_backbone_that_the_worker_offers_is_trained(
    study,
    researcher,
    server,
    tmp_path,
    kind,
    encoder,  # noqa: F811
):
    world = planted.write(tmp_path / "planted", planted.World(**planted.TINY))
    checkpoints.add_videos(world.folder)
    release = stored(study, world, formats=("jsonl", "videos"))
    name = f"{kind}:tiny"
    folder = encoder if kind == "embed" else checkpoints.write(kind, tmp_path / "checkpoint")
    offered = {name: str(folder)}
    worker = Worker(
        Server(server, token_of(researcher)), Local(), tmp_path / "worker", name="gpu-1", beat_s=1, backbones=offered
    )
    assert worker.work_through() == 0  # the server now knows what it offers
    assert name in queueing.backbones(study)
    run = queued(release, backbone=name, seeds=1, options={"max_steps": 2})
    worker.work_through()
    run.refresh_from_db()
    assert (run.state, run.reason) == ("done", ""), run.log
    version = ModelVersion.objects.get(run=run)
    assert version.family.backbone == name
    assert run.artefacts.filter(path="model/model.safetensors").exists()


def test_a_release_without_videos_is_refused_for_a_backbone_that_needs_them(study, tmp_path):
    release = stored(study, planted.write(tmp_path / "planted", planted.World(**planted.TINY)))
    with pytest.raises(Refused, match="reads videos, and release 1 has none"):
        queued(release, backbone="qwen-vl:tiny")
