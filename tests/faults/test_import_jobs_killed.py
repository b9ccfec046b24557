"""Workers are killed in the middle of an import. It ends done, once, and nothing is there twice or half."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from django.conf import settings as configured
from django.core.files.storage import default_storage
from django.db import connection

from accounts.models import AuditEvent
from catalog.models import Pair, Video
from importing import jobs, tasks
from importing.job_progress import POLICY
from importing.models import Import, ReadFile
from jobs import engine
from media.models import Asset
from media.originals import original_name
from tests import factories
from tests.importing.manifests import prompts_with_videos, write
from tests.media.workers import Worker
from tests.web import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

PROMPTS, VIDEOS = 40, 3
FILES = PROMPTS * VIDEOS
KILLS = 3
#: A worker that takes up the import and kills itself at a certain step of a stage.
WORKER = """
import os, signal, sys
from dataclasses import replace
from datetime import timedelta
import django
django.setup()
from importing import job_progress, job_work
from importing.progress import Progress

job_work.POLICY = job_progress.POLICY = replace(job_progress.POLICY, abandoned_after=timedelta(0), most_attempts=1000)
pk, at, step = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Deadly(Progress):
    stage, steps = "", 0
    def begin(self, stage, total):
        self.stage, self.steps = stage, 0
        self.advance(0)
    def advance(self, steps=1):
        self.steps += steps
        if self.stage == at and self.steps >= step:
            die()

if at == "written":
    finish = job_progress.ImportProgress.finish
    job_progress.ImportProgress.finish = lambda *given, **named: (finish(*given, **named), die())
if at == "committed":
    job_work.clean_up = lambda job: die()
make = job_work.ImportProgress
job_work.ImportProgress = lambda job, shown=None: make(job, Deadly())
job_progress.REMEMBERED_EVERY_S = 0
job_work.run(pk)
"""


@pytest.fixture
def asked(tmp_path, settings):
    """Order an import of so many prompts, with three videos each of about so many bytes."""

    def ask(prompts, size):
        folder = write(tmp_path / "colours", prompts_with_videos(prompts, VIDEOS))
        for clip in folder.glob("clips/*"):
            clip.write_bytes(hashlib.sha256(f"{tmp_path} {clip.name}".encode()).digest() * (size // 32))
        settings.IMPORT_ROOTS = [tmp_path]
        return jobs.ask(factories.study(), source="server", location="colours", options={}, actor=None)

    return ask


def environment():
    """Return the environment of a process on the test database."""
    address = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    roots = os.pathsep.join(map(str, configured.IMPORT_ROOTS))
    return os.environ | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "diptych.settings", "IMPORT_ROOTS": roots}


def work(job, at="", step=0):
    """Run a worker in a process of its own. Return its exit status."""
    command = [sys.executable, "-c", WORKER, str(job.pk), at, str(step)]
    done = subprocess.run(command, env=environment(), cwd=configured.BASE_DIR, timeout=120, check=False)
    return done.returncode


def check_outcome(job, files):
    job.refresh_from_db()
    assert (job.state, job.reason) == ("done", "")
    assert (Video.objects.count(), Asset.objects.count(), Pair.objects.count()) == (files, files, files)
    assert job.report["videos"] == {"added": files, "already_there": 0}  # the worker that wrote the rows counted them
    for action in ("import.finished", "study.imported"):
        assert AuditEvent.objects.filter(action=action).count() == 1
    assert not ReadFile.objects.exists()
    for asset in Asset.objects.all():
        assert default_storage.exists(asset.original)
        assert asset.original == original_name(asset.sha256)
    halves = [path for path in Path(configured.MEDIA_ROOT).rglob("originals/**/.*.part") if path.is_file()]
    assert len(halves) <= 4 * job.attempts  # each kill can leave what its threads were writing; check_media finds it


STEPS = [
    ("Reading files", 1),
    ("Reading files", FILES // 2),
    ("Storing files", 1),
    ("Storing files", FILES // 2),
    ("Adding prompts and videos", 0),
    ("Adding prompts and videos", 3),
    ("Making pairs", 1),
    ("written", 0),
]


def test_killed_at_each_stage_in_turn_it_ends_done_once(asked):
    job = asked(PROMPTS, 10_000)
    for at, step in STEPS:
        assert work(job, at, step) == -9, f"{at} {step} was never reached"
        assert Import.objects.get().state == "running"
        assert not Video.objects.exists()
        assert not AuditEvent.objects.filter(action="import.finished").exists()
    assert ReadFile.objects.count() == FILES
    assert work(job, "committed") == -9
    assert Import.objects.get().state == "done"
    assert work(job) == 0
    tasks.look_after_imports()
    check_outcome(job, FILES)


@pytest.mark.long
def test_killed_at_random_with_every_message_twice_it_ends_done_once(asked, tmp_path, monkeypatch):
    """Real workers run the real sweep, which takes half a minute to notice that one is gone."""
    job = asked(400, 200_000)
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    dice, deadline, killed = Random(4), time.monotonic() + 500, 0
    arguments = ("-B", "--concurrency", "2", "-s", str(tmp_path / "schedule"))
    worker = Worker(*arguments)
    try:
        while Import.objects.get().state in ("waiting", "running"):
            assert time.monotonic() < deadline, Import.objects.get().log
            engine.announce(POLICY, job.pk, job.pk)
            if killed < KILLS and begun_since(killed):
                time.sleep(dice.uniform(0, 3))
                worker.kill()
                killed += Import.objects.filter(state="running").exists()  # otherwise it had just ended
                worker = Worker(*arguments)
            time.sleep(0.5)
    finally:
        worker.stop()
    wait_for(lambda: tasks.look_after_imports() or not ReadFile.objects.exists(), "it is never tidied up")
    assert killed >= 1
    assert Import.objects.get().attempts == killed + 1
    check_outcome(job, 1200)


def begun_since(attempts):
    return Import.objects.filter(state="running", attempts__gt=attempts).exists()
