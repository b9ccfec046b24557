"""Carry out changes of many pairs in steps, while people answer the pairs. They are jobs: see `jobs.engine`.

A person who submits an answer waits for at most one step.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts import audit
from catalog import batching, media_order
from catalog.models import PairsChange
from catalog.pair_changes import effects
from diptych.refusals import Refused
from jobs import engine, ordered
from jobs.heartbeat import heartbeat
from jobs.policy import Policy

What, State = PairsChange.What, PairsChange.State
#: Changes of all pairs that the library lists.
HOLDS = (What.HOLD, What.RELEASE)
#: Actions of the audit record. Changes of overlap and priority are `pairs.changed`.
ACTIONS = {What.BATCHES: "batches.made", What.HOLD: "pairs.held", What.RELEASE: "pairs.released"}
#: Pairs of one step. It takes about a tenth of a second, and a person who submits may have to wait that long.
A_STEP = 1_000
#: Reasons of failed jobs, as sentences for people.
TROUBLE = gettext_noop(
    "The database failed several times. Tell the operator of this installation. The log has details."
)
NO_END = gettext_noop(
    "The change was started several times but made no progress. Tell the operator of this installation. The log "
    "has details."
)


def run(change_id: int) -> None:
    """Carry the change out, if it waits and no other worker has it."""
    engine.run(POLICY, change_id, work)


def work(change: PairsChange) -> None:
    """Change all selected pairs. Raises Cancelled, TakenOver and Refused."""
    if change.what == What.BATCHES:
        with heartbeat(POLICY, change):
            make_batches(change)
    else:
        ordered.go_through(POLICY, change, step)


@transaction.atomic
def step(change: PairsChange) -> bool:
    """Change the next pairs, and store the progress in the row. Return whether pairs are left."""
    there = engine.locked(POLICY, change.pk, change.fence)
    next_ones = effects.hold_next if there.what in HOLDS else effects.change_next
    keys, changed = next_ones(there, A_STEP)
    reached = keys[-1] if keys else there.until
    engine.get_further(there, steps=there.steps + len(keys), changed=there.changed + changed, reached=reached)
    return len(keys) == A_STEP


@transaction.atomic
def make_batches(change: PairsChange) -> None:
    """Regroup the pairs and end the job, in one transaction."""
    pairs, made = batching.regroup(change)
    engine.locked(POLICY, change.pk, change.fence)
    engine.end(POLICY, change.pk, change.fence, State.DONE, steps=pairs, changed=pairs, made=made)


def record_outcome(change: PairsChange) -> None:
    """Write the changes into the audit record, however the job ended."""
    after: dict[str, Any] = {"pairs": change.changed} | change.choice
    action = ACTIONS.get(What(change.what), "pairs.changed")
    if change.what == What.BATCHES:
        after |= {"size": change.value} | (change.made or {})
    elif change.what in HOLDS:
        after |= {"reason": change.why}
    else:
        after |= {"what": change.what, "value": change.value}
    if change.state != State.DONE:
        after |= {"ended": change.state}
    if change.state == State.DONE or change.changed:
        study = change.study
        audit.record(action, study, actor=change.asked_by, study_slug=study.slug, before=change.before, after=after)
    if change.what == What.PRIORITY and change.changed:
        media_order.announce_after_commit(change.study_id)


POLICY = Policy(
    model=PairsChange,
    name="Change of pairs",
    task="catalog.tasks.carry_out_change",
    final=(Refused,),
    most_attempts=10,  # attempts in a row without progress
    pause=lambda _pauses: timedelta(minutes=1),
    tried_in_vain=TROUBLE,
    begun_in_vain=NO_END,
    ended=record_outcome,
)
