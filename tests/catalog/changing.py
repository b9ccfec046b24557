"""Changes of many pairs as tests order them, carry them out and look at them."""

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from catalog.models import Pair, PairsChange
from catalog.running import carrying_out, changes, overlap
from catalog.running.overlap import ALL, OVERLAP, Choice
from tests import factories


@pytest.fixture(autouse=True)
def every_change_is_large(monkeypatch):
    """Left to a worker, who changes two pairs a step."""
    monkeypatch.setattr(changes, "RIGHT_AWAY", 0)
    monkeypatch.setattr(carrying_out, "A_STEP", 2)


@pytest.fixture
def seven(study):
    return factories.pairs(study, 7)


def order(study, actor, what=OVERLAP, value=3, **chosen):
    chosen = {"which": ALL} | chosen
    return changes.change_pairs(study, what, Choice(**chosen), value, seen=changes.last_change(study), actor=actor)


def now_of(change):
    return PairsChange.objects.get(pk=change.pk)


def after(change, state):
    """The change as it stands, which is so."""
    there = now_of(change)
    assert there.state == state, there.reason
    return there


def wanted(study):
    return list(Pair.objects.filter(study=study).order_by("pk").values_list("wanted", flat=True))


def abandon(change):
    """Its worker was killed a while ago."""
    PairsChange.objects.filter(pk=change.pk).update(heartbeat_at=timezone.now() - 2 * carrying_out.ABANDONED_AFTER)


def begun(change, steps):
    """Claimed, and so many steps done."""
    taken = carrying_out.claim(change.pk)
    for _ in range(steps):
        assert carrying_out.step(taken)
    return taken


def changed_events(study):
    events = AuditEvent.objects.filter(action="pairs.changed", subject_id=str(study.pk)).order_by("pk")
    return [(event.before, event.after["pairs"], event.after.get("ended")) for event in events]


def failed_at_the_second_step(study, researcher, monkeypatch):
    """A change that met a fault of the program."""
    change = begun(order(study, researcher), 1)
    with monkeypatch.context() as fault:
        fault.setattr(overlap, "CHANGE_OVERLAP", "SELECT no_such_column")
        carrying_out.carry_out(change)
    return after(change, "failed")
