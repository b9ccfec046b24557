"""Changes of many pairs as tests order them, carry them out and look at them."""

import pytest
from django.db.models.expressions import RawSQL
from django.utils import timezone

from accounts.models import AuditEvent
from catalog.models import Pair, PairsChange
from catalog.pair_changes import effects, orders, work
from catalog.pair_changes.effects import ALL, OTHERS, OVERLAP, STILL_OPEN
from jobs import engine
from tests import factories


@pytest.fixture(autouse=True)
def every_change_is_large(monkeypatch):
    """Left to a worker, who changes two pairs a step."""
    monkeypatch.setattr(orders, "RIGHT_AWAY", 0)
    monkeypatch.setattr(work, "A_STEP", 2)


@pytest.fixture
def seven(study):
    return factories.pairs(study, 7)


def choice(which=STILL_OPEN, sample=OTHERS, batch=None, prompt_type=""):
    """A choice of pairs, as the form makes it."""
    return {"which": which, "sample": sample, "batch": batch, "prompt_type": prompt_type}


def order(study, actor, what=OVERLAP, value=3, **chosen):
    chosen = choice(**{"which": ALL} | chosen)
    return orders.change_pairs(study, what, value, chosen, seen=orders.last_change(study), actor=actor)


def carry_out(change):
    """Work on a change that is claimed."""
    engine.work_on(work.POLICY, change, work.work)


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
    PairsChange.objects.filter(pk=change.pk).update(heartbeat_at=timezone.now() - 2 * work.POLICY.abandoned_after)


def begun(change, steps):
    """Claimed, and so many steps done."""
    taken = engine.claim(work.POLICY, change.pk)
    for _ in range(steps):
        assert work.step(taken)
    return taken


def changed_events(study):
    events = AuditEvent.objects.filter(action="pairs.changed", subject_id=str(study.pk)).order_by("pk")
    return [(event.before, event.after["pairs"], event.after.get("ended")) for event in events]


def failed_at_the_second_step(study, researcher, monkeypatch):
    """A change that met a fault of the program."""
    change = begun(order(study, researcher), 1)
    with monkeypatch.context() as fault:
        fault.setattr(effects, "would_want", lambda value: RawSQL("no_such_column", []))
        carry_out(change)
    return after(change, "failed")
