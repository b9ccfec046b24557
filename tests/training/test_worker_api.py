"""The API of workers: claims with a fence number, reports, uploads, and every way to end a run."""

import hashlib
import json
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEvent
from jobs import engine
from releases import withdrawing
from tests import factories
from tests.documented import DocumentedClient
from tests.training.training import queued, released, token_of
from training import queueing, tasks
from training.models import Artefact, ModelVersion, Run, RunPoint, Worker
from training.policy import POLICY

pytestmark = pytest.mark.django_db

METRICS = [{"figure": "agreement", "target": "helpfulness", "part": "test", "value": 0.7}]
FILES = {
    "metrics.json": b"[]",
    "model/model.json": b"{}",
    "model/model.safetensors": b"weights",
    "predictions.parquet": b"PAR1",
}


class Calls:
    """A worker of a person that sends requests with its token."""

    def __init__(self, person, name="gpu-1"):
        self.client: APIClient = DocumentedClient()
        self.client.credentials(HTTP_AUTHORIZATION=f"Token {token_of(person)}")
        self.offer = {"name": name, "hardware": "a test"}
        self.run = None

    def claim(self, **offer):
        response = self.client.post("/api/v1/runs/claim/", self.offer | offer, format="json")
        assert response.status_code == 200, response.content
        self.run = response.json()["run"]
        return self.run

    def post(self, what, run=None, **about):
        run = run or self.run
        body = {"fence": run["fence"], **about}
        return self.client.post(f"/api/v1/runs/{run['id']}/{what}/", body, format="json")

    def put(self, path, content, *, sha256=None, run=None, content_type="application/octet-stream"):
        run = run or self.run
        digest = sha256 or hashlib.sha256(content).hexdigest()
        address = f"/api/v1/runs/{run['id']}/files/{path}?fence={run['fence']}&sha256={digest}"
        return self.client.put(address, content, content_type=content_type)

    def upload_all(self):
        files = {}
        for path, content in FILES.items():
            response = self.put(path, content)
            assert response.status_code == 200, response.content
            files[path] = response.json()["sha256"]
        return files

    def finish(self, run=None, **about):
        return self.post("finish", run, **{"metrics": METRICS, "wall_s": 1.5} | about)


@pytest.fixture
def release(study):
    return released(study)


@pytest.fixture
def calls(researcher):
    return Calls(researcher)


def code(response):
    return response.status_code, response.json()["code"]


def test_a_worker_takes_a_run_from_its_claim_to_a_version(study, researcher, release, calls, api):
    run = queued(release, actor=researcher)
    claimed = calls.claim()
    assert (claimed["id"], claimed["release"], claimed["targets"]) == (run.pk, release.number, ["helpfulness"])
    assert claimed["manifest_sha256"] == release.files.get(path="manifest.json").sha256
    report = {"stage": "training", "steps": 3, "steps_total": 10, "log": "one\n", "preflight": {"pairs": 1}}
    points = [{"step": 2, "loss": 0.5}, {"step": 3, "loss": 0.25}, {"step": 3, "loss": 0.3, "part": "validation"}]
    for _twice in range(2):
        assert calls.post("report", points=points, **report).json() == {"cancelled": False}
    assert calls.post("beat", resources={"last": {"memory_mib": 5}}).json() == {"cancelled": False}
    finished = calls.finish(files=calls.upload_all())
    assert finished.json()["version"]["number"] == 1
    assert calls.finish(files={}).json() == finished.json()  # a repetition after a lost response
    run.refresh_from_db()
    assert (run.state, run.loss, run.log, run.metrics) == ("done", 0.25, "one\n", METRICS)
    shown = api(researcher).get(f"/api/v1/runs/{run.pk}/").json()
    assert shown["validation_points"] == [[3, 0.3]]
    assert (shown["points"], shown["worker"]) == ([[2, 0.5], [3, 0.25]], "gpu-1")
    assert [file["path"] for file in shown["files"]] == sorted(FILES)
    got = api(researcher).get(f"/api/v1/runs/{run.pk}/files/model/model.safetensors")
    assert got.status_code == 200, got.content
    assert got.getvalue() == b"weights"
    assert ModelVersion.objects.get(run=run).state == "candidate"


def test_an_old_fence_number_changes_nothing(release, calls, researcher):
    queued(release)
    old = calls.claim()
    Run.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=5))
    tasks.look_after_training()
    new = Calls(researcher, "gpu-2")
    assert new.claim()["fence"] == old["fence"] + 1
    assert calls.claim() is None
    for what, about in {
        "beat": {},
        "report": {"log": "old", "points": [{"step": 1, "loss": 9.0}]},
        "fail": {"code": "x", "message": "old"},
        "put-back": {"trouble": "old"},
        "finish": {"metrics": METRICS, "files": {}, "wall_s": 1},
    }.items():
        assert code(calls.post(what, old, **about)) == (409, "taken_over"), what
    assert code(calls.put("metrics.json", b"[]", run=old)) == (409, "taken_over")
    run = Run.objects.get()
    assert (run.state, run.log, run.worker.name) == ("running", "", "gpu-2")
    assert not RunPoint.objects.exists()
    assert not Artefact.objects.exists()


@pytest.mark.long
def test_a_run_is_given_only_to_a_worker_that_can_do_it(study, release, calls, researcher):
    queued(release, gpus=1, gpu_memory_mib=24_000)
    assert calls.claim() is None
    assert calls.claim(gpus=1, gpu_memory_mib=16_000) is None
    assert calls.claim(gpus=1, gpu_memory_mib=80_000)["gpus"] == 1
    assert Worker.objects.get().gpus == 1


@pytest.mark.long
def test_a_worker_gets_runs_of_studies_whose_models_its_owner_trains(release, study):
    queued(release)
    stranger = factories.member(factories.study(), "researcher")
    assert Calls(stranger).claim() is None
    assert Calls(factories.member(study, "annotator")).claim() is None


def test_a_colleague_cannot_speak_for_a_worker(release, calls, study):
    queued(release)
    claimed = calls.claim()
    other = Calls(factories.member(study, "researcher"))
    assert other.post("beat", claimed).status_code == 404


def test_a_token_without_the_scope_claims_nothing(release, researcher):
    from accounts.tokens import issue_token

    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(researcher, scopes=['manage', 'export'])}")
    assert client.post("/api/v1/runs/claim/", {"name": "x"}, format="json").status_code == 403


@pytest.mark.long
@pytest.mark.parametrize(
    ("path", "content", "sha256", "refusal"),
    [
        ("metrics.json", b"[]", "0" * 64, (400, "wrong_sha256")),
        ("metrics.json", b"[]", "x", (400, "invalid")),
        ("model/model.pt", b"pickle", None, (400, "invalid")),
        ("model/.hidden.json", b"x", None, (400, "invalid")),
        ("model/../../secret.json", b"x", None, (400, "invalid")),
        ("checkpoint/state.json", b"x", None, (400, "invalid")),
    ],
)
def test_a_wrong_file_is_refused(release, calls, path, content, sha256, refusal):
    queued(release)
    calls.claim()
    assert code(calls.put(path, content, sha256=sha256)) == refusal
    assert not Artefact.objects.exists()


@pytest.mark.long
def test_a_path_keeps_its_first_bytes_within_a_claim(release, calls):
    queued(release)
    calls.claim()
    for _twice in range(2):
        assert calls.put("metrics.json", b"[]").status_code == 200
    assert code(calls.put("metrics.json", b"[1]")) == (409, "another_file")


@pytest.mark.long
def test_a_run_without_its_files_is_not_finished(release, calls):
    queued(release)
    calls.claim()
    files = calls.upload_all()
    assert code(calls.finish(files=files | {"model/more.json": "0" * 64})) == (409, "missing_files")
    del files["model/model.json"]
    assert code(calls.finish(files=files)) == (409, "missing_files")
    assert Run.objects.get().state == "running"
    assert not ModelVersion.objects.exists()


@pytest.mark.long
def test_files_of_an_earlier_claim_do_not_count(release, calls):
    queued(release)
    calls.claim()
    files = calls.upload_all()
    calls.post("put-back", trouble="x")
    Run.objects.update(wait_until=None)
    calls.claim()
    assert code(calls.finish(files=files)) == (409, "missing_files")
    assert calls.finish(files=calls.upload_all()).status_code == 200


@pytest.mark.long
def test_a_cancelled_run_ends_when_its_worker_gives_it_back(release, calls, researcher, api):
    run = queued(release)
    calls.claim()
    assert api(researcher).post(f"/api/v1/runs/{run.pk}/cancel/").json()["state"] == "running"
    assert calls.post("beat").json() == {"cancelled": True}
    assert code(calls.put("metrics.json", b"[]")) == (409, "cancelled")
    assert code(calls.finish(files={})) == (409, "cancelled")
    assert calls.post("put-back", trouble="Cancelled", counted=False).json() == {"state": "cancelled"}
    assert AuditEvent.objects.filter(action="run.ended").count() == 1


@pytest.mark.long
def test_a_failed_run_says_why_and_runs_again(release, calls, researcher, api):
    run = queued(release)
    calls.claim()
    about = {"code": "non_finite_loss", "message": "Not finite.", "items": ["pair-7"]}
    for _twice in range(2):
        assert calls.post("fail", **about).json() == {"state": "failed"}
    shown = api(researcher).get(f"/api/v1/runs/{run.pk}/").json()
    assert (shown["reason"], shown["fault"]) == ("Not finite.", {"code": "non_finite_loss", "items": ["pair-7"]})
    assert api(researcher).post(f"/api/v1/runs/{run.pk}/again/").json()["state"] == "waiting"
    assert code(api(researcher).post(f"/api/v1/runs/{run.pk}/again/")) == (409, "not_ended")
    assert calls.claim()["id"] == run.pk


@pytest.mark.long
def test_a_run_that_is_lost_again_and_again_fails(release, calls):
    queued(release)
    for _attempt in range(POLICY.most_attempts):
        assert calls.claim() is not None
        Run.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=5))
        tasks.look_after_training()
    run = Run.objects.get()
    assert run.state == "failed"
    assert "5 times" in run.reason


def test_points_and_metrics_must_be_finite(release, calls):
    queued(release)
    calls.claim()
    text = json.dumps({"fence": calls.run["fence"], "points": [{"step": 1, "loss": 1}]}).replace("1}]", "1e999}]")
    address = f"/api/v1/runs/{calls.run['id']}/report/"
    assert calls.client.post(address, text, content_type="application/json").status_code == 400


@pytest.mark.long
def test_a_withdrawn_release_gets_no_version(study, release, calls, researcher):
    queued(release)
    calls.claim()
    files = calls.upload_all()
    answered = release.items.first().annotation
    of = withdrawing.subject(study, "answer", str(answered.pk))
    withdrawing.withdraw(study, of, reason="Asked", actor=researcher)
    assert code(calls.finish(files=files)) == (410, "withdrawn")
    assert not ModelVersion.objects.exists()


@pytest.mark.long
def test_an_evaluation_gets_the_files_of_the_version(release, calls, researcher, study):
    queued(release)
    calls.claim()
    calls.finish(files=calls.upload_all())
    version = ModelVersion.objects.get()
    queueing.ask_evaluation(release, version, actor=None, because="comparison")
    claimed = calls.claim()
    assert claimed["purpose"] == "evaluate"
    assert [file["path"] for file in claimed["version"]["files"]] == ["model/model.json", "model/model.safetensors"]
    uploaded = {path: calls.put(path, FILES[path]).json()["sha256"] for path in ("metrics.json", "predictions.parquet")}
    assert calls.finish(files=uploaded).json() == {"version": None}
    assert ModelVersion.objects.count() == 1


@pytest.mark.long
def test_the_engine_sees_the_same_claim(release, calls):
    queued(release)
    claimed = calls.claim()
    assert engine.look(POLICY, claimed["id"], claimed["fence"]).holds
