"""The whole way with the real training programs: run, worker, model version, decision, next version, scores."""

import hashlib

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from releases.models import Release, ReleaseFamily
from tests.training.training import queued, token_of
from training import registry
from training.models import ModelVersion, Run
from training.worker.executors import Local
from training.worker.looping import Worker
from training.worker.server import Server

pytest.importorskip("torch")

from tests.learn import planted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]


def stored(study, world):
    """Store a planted release as one that the server has made."""
    facts = {"number": 1, "filter": {}, "formats": ["jsonl"], "licence": "CC0-1.0", "finished_at": timezone.now()}
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
