"""Workers are killed in the middle of a change of many pairs. It ends done, and each pair was changed once."""

import os
import subprocess
import sys
import time
from random import Random

import pytest
from django.conf import settings as configured
from django.db import connection

from accounts.models import AuditEvent
from annotation import serving
from benchmarks import studies
from catalog.models import Pair, PairsChange
from catalog.pair_changes import orders
from catalog.pair_changes.effects import ALL, OVERLAP
from catalog.pair_changes.work import POLICY
from jobs import engine
from tests import factories
from tests.annotation import recounting
from tests.catalog.changing import choice
from tests.media.workers import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

PAIRS, KILLS = 30_000, 2
#: A worker that takes up the change and kills itself at a certain point of a step.
WORKER = """
import os, signal, sys
from dataclasses import replace
from datetime import timedelta
import django
django.setup()
from catalog.pair_changes import effects, work

work.A_STEP = 10
pk, at, step = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
done = 0

def dying_after(act, point):
    def acted(*given, **named):
        global done
        result = act(*given, **named)
        done += point == at
        if point == at and done == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return acted

effects.change_next = dying_after(effects.change_next, "inside")
work.step = dying_after(work.step, "between")
work.batching.regroup = dying_after(work.batching.regroup, "regrouped")
policy = replace(work.POLICY, abandoned_after=timedelta(0))
work.POLICY = replace(policy, ended=dying_after(policy.ended, "ending"))
work.engine.work_on = dying_after(work.engine.work_on, "ended")
work.run(pk)
"""


@pytest.fixture
def large(monkeypatch):
    """Leave changes to workers, however small they are."""
    monkeypatch.setattr(orders, "RIGHT_AWAY", 0)


def environment():
    """Return the environment of a process on the test database."""
    address = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    return os.environ | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "diptych.settings"}


def work(change, at="", step=1):
    """Run a worker in a process of its own. Return its exit status."""
    command = [sys.executable, "-c", WORKER, str(change.pk), at, str(step)]
    return subprocess.run(command, env=environment(), cwd=configured.BASE_DIR, timeout=120, check=False).returncode


def ordered(study, value):
    researcher = factories.member(study, "researcher")
    return orders.change_pairs(study, OVERLAP, value, choice(which=ALL), seen=0, actor=researcher)


def check(change, pairs, value):
    change.refresh_from_db()
    assert (change.state, change.steps, change.changed) == ("done", pairs, pairs)
    assert set(Pair.objects.filter(study=change.study_id).values_list("wanted", flat=True)) == {value}
    assert recounting.contradictions(change.study_id) == {}
    [event] = AuditEvent.objects.filter(action="pairs.changed")
    assert (event.before, event.after["pairs"]) == ({"pairs": pairs, "wanted": pairs}, pairs)


def test_killed_inside_between_and_after_steps_each_pair_is_changed_once(large):
    study = factories.study()
    factories.pairs(study, 55)
    for _ in range(3):
        serving.lease(factories.member(study, "annotator"), study)
    change = ordered(study, 3)
    reached = 0
    for at, step, more in [
        ("inside", 1, 0),
        ("between", 1, 10),
        ("inside", 2, 10),
        ("between", 2, 20),
        ("ending", 1, 15),
    ]:
        assert work(change, at, step) == -9, f"{at} {step} was never reached"
        change.refresh_from_db()
        reached += more
        assert (change.state, change.steps) == ("running", reached)
        assert Pair.objects.filter(study=study, wanted=3).count() == reached  # the row agrees with the pairs
        assert not AuditEvent.objects.filter(action="pairs.changed").exists()
    assert work(change, "ended") == -9
    assert work(change) == 0
    check(change, 55, 3)


def test_killed_while_batches_are_made_they_are_made_once(large):
    study = factories.study()
    factories.pairs(study, 9)
    change = orders.make_batches(study, size=4, actor=factories.member(study, "researcher"))
    for at in ("regrouped", "ending"):
        assert work(change, at) == -9
        assert set(Pair.objects.values_list("batch__number", flat=True)) == {1}
    assert work(change) == 0
    change.refresh_from_db()
    assert (change.state, change.made) == ("done", {"first": 2, "batches": 3, "emptied": 1})
    assert AuditEvent.objects.filter(action="batches.made").count() == 1


def test_killed_at_random_with_every_message_twice_while_people_lease_it_ends_done_once(large, tmp_path, monkeypatch):
    """Real workers run the real sweep, which takes half a minute to notice that one is gone."""
    study = studies.fill(PAIRS, 1)
    people = [factories.member(study, "annotator") for _ in range(4)]
    change = ordered(study, 2)
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    dice, deadline, killed = Random(4), time.monotonic() + 400, 0
    arguments = ("-B", "--concurrency", "2", "-s", str(tmp_path / "schedule"))
    worker = Worker(*arguments)
    try:
        while (now := PairsChange.objects.get()).is_open:
            assert time.monotonic() < deadline, PairsChange.objects.values().get()
            for _ in range(2):
                engine.announce(POLICY, change.pk)
            for person in people:
                lease_and_perhaps_release(person, study, dice)
            if killed < KILLS and now.fence > killed:
                worker.kill()
                killed += 1
                worker = Worker(*arguments)
    finally:
        worker.stop()
    assert killed == KILLS
    check(change, PAIRS, 2)


def lease_and_perhaps_release(person, study, dice):
    desk = serving.lease(person, study)
    if desk.current and dice.random() < 0.7:
        serving.release(desk.current, person)
