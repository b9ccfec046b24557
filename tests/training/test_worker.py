"""Workers with real programs against a real server: killed, crashed, hung and cancelled at random moments."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import psutil
import pytest

from diptych_client.client import Client
from tests.production import environment
from tests.training.training import PROGRAMS, queued, released, start_worker, token_of, worker
from tests.web import wait_for
from training import pages, queueing
from training.models import ModelVersion, Run
from training.worker.executors import Slurm
from training.worker.looping import Worker
from training.worker.running import how_it_ended
from training.worker.server import Server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def release(study):
    return released(study)


@pytest.fixture
def token(researcher):
    return token_of(researcher)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "worker"


def ended(run):
    run.refresh_from_db()
    return run.state


def due_now():
    Run.objects.filter(state="waiting").update(wait_until=None)


def assert_done_once(run, folder):
    """Fail unless the run is done with one version, and no two of its programs ran at once."""
    assert ended(run) == "done", run.reason
    assert ModelVersion.objects.filter(run=run).count() == 1
    assert not list(folder.rglob("twice"))


def test_a_run_becomes_a_version_whose_files_can_be_downloaded(server, token, folder, release):
    run = queued(release, policies={"noise": "1", "pickle": "1", "child": "1", "mib": "60", "pause": "0.15"})
    with worker(server, token, folder) as mine:
        assert mine.work_through() == 1
    assert_done_once(run, folder)
    assert (run.steps_total, run.loss, run.preflight, run.worker.name) == (10, 0.1, {"pairs": 2, "ties": 0}, "gpu-1")
    assert [point.step for point in run.points.filter(part="training").order_by("step")] == list(range(1, 11))
    assert [(point.step, point.loss) for point in run.points.filter(part="validation")] == [(10, 0.5)]
    assert run.resources["highest"]["memory_mib"] > 60
    paths = list(run.artefacts.order_by("path").values_list("path", flat=True))
    assert paths == [
        *("metrics.json", "model/README.md", "model/model.json", "model/model.safetensors"),
        *("predictions.parquet", "preflight.json"),
    ]
    with Client(server, token) as client, client.connection.stream(f"runs/{run.pk}/files/model/model.json", {}) as got:
        assert json.loads(got.read())["from_step"] == 0
    assert not left_processes(folder)
    assert not list(folder.glob("*/runs/*"))  # the release stays in the cache
    assert len(list(folder.glob("*/releases/*/manifest.json"))) == 1


def left_processes(folder):
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(folder) in process.environ().get("DIPTYCH_RUN_FOLDER", "") and process.status() != "zombie":
                found.append(process)
    return found


@pytest.mark.long
@pytest.mark.parametrize("fault", ["crash", "kill"])
def test_a_program_that_dies_continues_from_its_checkpoint(server, token, folder, release, fault):
    run = queued(release, policies={fault: "6"})
    with worker(server, token, folder) as mine:
        mine.work_through()
        assert ended(run) == "waiting"
        assert run.reason.startswith("The program")
        due_now()
        mine.work_through()
    assert_done_once(run, folder)
    assert (run.fence, run.attempts) == (2, 1)  # it got further, so its attempts are counted anew
    stored = run.artefacts.get(path="model/model.json")
    from django.core.files.storage import default_storage

    with default_storage.open(stored.stored_name) as file:
        assert json.load(file)["from_step"] == 5


@pytest.mark.long
def test_a_program_that_always_crashes_fails_after_five_attempts(server, token, folder, release):
    run = queued(release, policies={"always": "crash"})
    with worker(server, token, folder) as mine:
        for _attempt in range(5):
            due_now()
            mine.work_through()
    assert ended(run) == "failed"
    assert "It was tried 5 times." in pages.outcome(run)
    assert "crashed with 0 bytes" in run.log


@pytest.mark.long
@pytest.mark.parametrize(
    ("policies", "code", "items", "reason"),
    [
        ({"exit": "3"}, "leak", ["a", "b"], "Two pairs"),
        ({"nan": "3"}, "non_finite_loss", ["pair-7"], "not finite"),
        ({"metrics": "nan"}, "bad_metrics", [], "NaN"),
    ],
)
def test_a_fault_that_another_attempt_would_repeat_ends_the_run(
    server, token, folder, release, policies, code, items, reason
):
    run = queued(release, policies=policies)
    with worker(server, token, folder) as mine:
        mine.work_through()
    assert ended(run) == "failed"
    assert (run.fault, reason in run.reason) == ({"code": code, "items": items}, True)
    assert not run.artefacts.exists()  # nothing of it is published


@pytest.mark.long
@pytest.mark.parametrize("policies", [{"pause": "0.1", "steps": "900"}, {"deaf": "1", "pause": "0.1", "steps": "900"}])
def test_a_cancelled_run_ends_with_all_its_processes(server, token, folder, release, researcher, policies):
    run = queued(release, policies=policies | {"child": "1"})
    with worker(server, token, folder, grace_s=1) as mine:
        working = threading.Thread(target=mine.work_through)
        working.start()
        wait_for(lambda: ended(run) == "running" and run.steps > 1, "the program did not begin")
        queueing.cancel(run, actor=researcher)
        working.join(20)
        assert not working.is_alive()
    assert ended(run) == "cancelled"
    assert not left_processes(folder)


@pytest.mark.long
def test_a_stopped_worker_gives_its_run_back_and_another_start_continues(server, token, folder, release):
    run = queued(release, policies={"pause": "0.1", "steps": "25"})
    process = start_worker(server, token, folder)
    wait_for(lambda: ended(run) == "running" and run.steps > 3, "the program did not begin")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert (ended(run), run.attempts) == ("waiting", 0)
    assert not left_processes(folder)
    due_now()
    with worker(server, token, folder) as mine:
        mine.work_through()
    assert_done_once(run, folder)


@pytest.mark.long
def test_a_killed_worker_takes_its_program_along_and_continues_at_its_next_start(server, token, folder, release):
    run = queued(release, policies={"pause": "0.1", "steps": "25", "child": "1"})
    process = start_worker(server, token, folder)
    wait_for(lambda: ended(run) == "running" and run.steps > 3, "the program did not begin")
    process.kill()
    process.wait()
    wait_for(lambda: not left_processes(folder), "a program outlived its worker", 10)
    with worker(server, token, folder):
        pass  # beginning continues what was left
    assert_done_once(run, folder)
    assert (run.fence, run.attempts) == (1, 1)


@pytest.mark.long
def test_a_worker_that_lost_its_claim_stops_its_program(server, token, folder, release, researcher):
    run = queued(release, policies={"pause": "0.1", "steps": "900"})
    with worker(server, token, folder) as mine:
        working = threading.Thread(target=mine.work_through)
        working.start()
        wait_for(lambda: ended(run) == "running" and run.steps > 1, "the program did not begin")
        Run.objects.update(
            state="failed", reason="Lost", heartbeat_at=None, finished_at="2026-01-01T00:00:00Z", stage=""
        )
        working.join(20)
        assert not working.is_alive()
    assert not left_processes(folder)
    assert not run.artefacts.exists()


@pytest.mark.long
def test_two_workers_do_not_share_a_folder(server, token, folder):
    with (
        worker(server, token, folder),
        pytest.raises(SystemExit, match="Another worker"),
        worker(server, token, folder),
    ):
        pass


def test_a_token_without_the_scope_is_named(server, researcher, folder):
    from accounts.tokens import issue_token

    with (
        worker(server, issue_token(researcher, scopes=["read"]), folder) as mine,
        pytest.raises(SystemExit, match="scopes train and export"),
    ):
        mine.work_through()


@pytest.mark.long
def test_an_evaluation_uses_the_files_of_the_version(server, token, folder, release):
    first = queued(release)
    with worker(server, token, folder) as mine:
        mine.work_through()
        run = queueing.ask_evaluation(release, ModelVersion.objects.get(run=first), actor=None, because="comparison")
        mine.work_through()
    assert (ended(run), run.artefacts.count()) == ("done", 2)


def test_endings_are_said_in_words():
    assert "no memory left" in how_it_ended(-9)
    assert "SIGSEGV" in how_it_ended(-11)
    assert "status 1" in how_it_ended(1)


def killed_at_random(server, token, folder, release, *, rounds, seed, steps):
    """Kill workers and programs at random moments until all runs are done. Return the runs."""
    drawn = random.Random(seed)
    runs = [queued(release, seed=number, policies={"pause": "0.02", "steps": str(steps)}) for number in range(3)]
    for _round in range(rounds):
        due_now()
        process = start_worker(server, token, folder, "--once")
        time.sleep(drawn.uniform(0.3, 3))
        if drawn.random() < 0.5:
            for victim in left_processes(folder)[:1]:
                with suppress(psutil.Error):
                    victim.kill()
            time.sleep(drawn.uniform(0, 1))
        process.kill()
        process.wait()
    until = time.monotonic() + 120
    while Run.objects.filter(state__in=["waiting", "running"]).exists() and time.monotonic() < until:
        due_now()
        start_worker(server, token, folder, "--once").wait(60)
    return runs


@pytest.mark.long
def test_runs_survive_a_few_kills_at_random_moments(server, token, folder, release):
    for run in killed_at_random(server, token, folder, release, rounds=3, seed=1, steps=40):
        assert_done_once(run, folder)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_runs_survive_many_kills_at_random_moments(server, token, folder, release, seed):
    for run in killed_at_random(server, token, folder, release, rounds=8, seed=seed, steps=100):
        assert_done_once(run, folder)


@pytest.mark.long
def test_a_message_wakes_a_worker_that_knows_the_broker_but_no_database(server, token, folder, release, tmp_path):
    variables = {"DIPTYCH_SERVER": server, "DIPTYCH_TOKEN": token, "DIPTYCH_PROGRAMS": PROGRAMS}
    variables |= {"DIPTYCH_WORKER_FOLDER": str(folder), "REDIS_URL": os.environ["REDIS_URL"]}
    command = [sys.executable, "-m", "celery", "-A", "training.worker.celery_app", "worker", "-Q", "gpu", "-P", "solo"]
    command += ["--loglevel", "INFO"]
    with (tmp_path / "celery.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(**variables), stdout=log, stderr=log)
    try:
        wait_for(lambda: b"ready" in (tmp_path / "celery.log").read_bytes(), "Celery did not start")
        run = queued(release)
        wait_for(lambda: ended(run) == "done", (tmp_path / "celery.log").read_text()[-2000:])
    finally:
        process.terminate()
        process.wait(20)


def test_the_executor_slurm_runs_programs_with_submitit(server, token, folder, release):
    pytest.importorskip("submitit", reason="submitit is optional")
    run = queued(release, policies={"noise": "1"})
    cancelled = queued(release, seed=2, policies={"pause": "0.1", "steps": "900"})
    executor = Slurm(folder, cluster="local", grace_s=5)
    with Worker(Server(server, token), executor, folder, name="hpc", package=PROGRAMS, beat_s=0.3) as mine:
        working = threading.Thread(target=mine.work_through)
        working.start()
        wait_for(lambda: ended(run) == "done", "the run did not end")
        wait_for(lambda: ended(cancelled) == "running" and cancelled.steps > 1, "the program did not begin")
        queueing.cancel(cancelled, actor=None)
        working.join(20)
    assert ended(cancelled) == "cancelled"
    wait_for(lambda: not left_processes(folder), "a program was left", 10)
