"""Carrying out changes of many pairs. The row is the queue of record; a message only says “look here”, as with imports.

A worker claims a row with a fence number, and a heartbeat keeps the claim alive. Overlap and priority are changed some
pairs at a time: each step is one transaction, in which the row moves along with the pairs. So a worker may be killed
anywhere, the next one goes on with the pair after the last one changed, and who answers waits for one step at most.
"""

import logging
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts import audit
from catalog import tasks
from catalog.heartbeat import beating
from catalog.importing.working import stopped_by
from catalog.models import PairsChange
from catalog.running import batching, overlap

logger = logging.getLogger(__name__)

What, State = PairsChange.What, PairsChange.State
#: Pairs that one step goes through: a tenth of a second or so, which is what a person who submits may have to wait.
A_STEP = 1_000
HEARTBEAT_S = 5.0
#: A claim whose heartbeat is older than this is anybody's.
ABANDONED_AFTER = timedelta(seconds=30)
#: A message is sent again for a row that has waited this long.
RESEND_AFTER = timedelta(seconds=30)
#: After trouble with the database.
PAUSE = timedelta(minutes=1)
#: Without a step in between.
MOST_ATTEMPTS = 10
#: Reasons that rows give, in words for people.
TROUBLE = gettext_noop("The database gave trouble again and again. Tell who runs the server; the log says more.")
NO_END = gettext_noop("It was begun again and again and did not get on. Tell who runs the server; the log says more.")


class Cancelled(Exception):
    """Somebody cancelled the change."""


class TakenOver(Exception):
    """Another worker has the change, since this one was not heard of for long."""


def abandoned() -> Q:
    return Q(state=State.RUNNING, heartbeat_at__lt=timezone.now() - ABANDONED_AFTER)


def free() -> Q:
    """The rows that a worker may take. The heartbeat of a row that waits is when its pause ends."""
    rested = Q(heartbeat_at=None) | Q(heartbeat_at__lte=timezone.now())
    return Q(Q(rested, state=State.WAITING) | abandoned(), attempts__lt=MOST_ATTEMPTS)


def claim(change_id: int) -> PairsChange | None:
    """Takes the change for this worker, or None if it is finished, has its pause, or somebody else holds it."""
    taken = PairsChange.objects.filter(free(), pk=change_id).update(
        state=State.RUNNING, fence=F("fence") + 1, attempts=F("attempts") + 1, heartbeat_at=timezone.now()
    )
    return PairsChange.objects.get(pk=change_id) if taken else None


def claimed(change: PairsChange) -> QuerySet[PairsChange]:
    """The change's row, as long as the claim holds."""
    return PairsChange.objects.filter(pk=change.pk, state=State.RUNNING, fence=change.fence)


def run(change_id: int) -> None:
    """Carries the change out, if it still waits and nobody else is at it."""
    change = claim(change_id)
    if change is not None:
        carry_out(change)


def carry_out(change: PairsChange) -> None:
    """Works a claimed change through. It ends done, failed, cancelled, or put back for a later attempt."""
    try:
        with beating(lambda: beat(change), every_s=HEARTBEAT_S, about=f"Change {change}"):
            if change.what == What.BATCHES:
                make_batches(change)
            else:
                go_through(change)
    except Cancelled:
        finish(change, State.CANCELLED)
    except TakenOver:
        logger.warning("Change %s was taken over by another worker", change)
    except batching.NotRegrouped as why:
        finish(change, State.FAILED, reason=str(why))
    except (OperationalError, InterfaceError) as error:
        logger.error("Change %s waits because of trouble here: %s", change, error)
        put_back(change)
    except Exception as error:
        logger.exception("Change %s stopped", change)
        finish(change, State.FAILED, reason=stopped_by(error))


def beat(change: PairsChange) -> None:
    """Keeps the claim."""
    claimed(change).update(heartbeat_at=timezone.now())


def go_through(change: PairsChange) -> None:
    """Changes all pairs that are meant. Raises Cancelled and TakenOver."""
    while step(change):
        pass
    finish(change, State.DONE)


@transaction.atomic
def step(change: PairsChange) -> bool:
    """Changes the next pairs and moves the row along with them; False where none are left.

    The row is locked first: whoever else has claimed it waits here, and finds it moved on.
    """
    there = held(change)
    done = overlap.change_next(there, A_STEP)
    there.gone_through += done.gone_through
    there.changed += done.changed
    there.reached = done.reached or there.until
    there.attempts = 0
    there.save(update_fields=["gone_through", "changed", "reached", "attempts"])
    return done.gone_through == A_STEP


@transaction.atomic
def make_batches(change: PairsChange) -> None:
    """Makes batches and says so, in one transaction. Raises NotRegrouped, Cancelled and TakenOver."""
    made = batching.regroup(change)
    there = held(change)
    there.gone_through = there.changed = made.pairs
    there.made = {"first": made.first, "batches": made.batches, "emptied": made.emptied}
    there.save(update_fields=["gone_through", "changed", "made"])
    end(there, State.DONE)


def held(change: PairsChange) -> PairsChange:
    """The row, locked until the transaction ends. Raises Cancelled, or TakenOver where the claim holds no more."""
    there = claimed(change).select_for_update(no_key=True).first()
    if there is None:
        raise TakenOver
    if there.cancel_asked_at is not None:
        raise Cancelled
    return there


@transaction.atomic
def finish(change: PairsChange, state: str, *, reason: str = "") -> None:
    """Ends a claimed change; where the claim holds no more nothing happens."""
    there = claimed(change).select_for_update(no_key=True).first()
    if there is None:
        logger.warning("Change %s was taken over by another worker", change)
    else:
        end(there, state, reason=reason)


def end(change: PairsChange, state: str, *, reason: str = "") -> None:
    """Writes the outcome of a row that is locked, and the record of what was changed, however it ended."""
    change.state, change.reason, change.finished_at, change.heartbeat_at = state, reason, timezone.now(), None
    change.save(update_fields=["state", "reason", "finished_at", "heartbeat_at"])
    if state == State.DONE or change.changed:
        action, after = told(change)
        study = change.study
        audit.record(action, study, actor=change.asked_by, study_slug=study.slug, before=change.before, after=after)
    if change.what == What.PRIORITY and change.changed:
        transaction.on_commit(lambda: tasks.announce_media_order(change.study_id))


def told(change: PairsChange) -> tuple[str, dict[str, Any]]:
    """What the record calls the change, and what it keeps of it."""
    if change.what == What.BATCHES:
        return "batches.made", {"size": change.value, "pairs": change.changed} | change.choice | change.made
    after = {"what": change.what, "value": change.value, "pairs": change.changed} | change.choice
    return "pairs.changed", after if change.state == State.DONE else after | {"ended": change.state}


def put_back(change: PairsChange) -> None:
    """Gives up the claim, if it still holds, so that after a pause any worker may take the change."""
    if not connection.is_usable():
        connection.close()  # the next query opens another one
    again = claimed(change).filter(attempts__lt=MOST_ATTEMPTS)
    if not again.update(state=State.WAITING, heartbeat_at=timezone.now() + PAUSE):
        finish(change, State.FAILED, reason=TROUBLE)


def waiting() -> list[int]:
    """Changes that have waited too long for a worker, or whose worker's heartbeat stopped."""
    too_long = Q(state=State.RUNNING) | Q(created_at__lt=timezone.now() - RESEND_AFTER)
    due = PairsChange.objects.filter(free(), too_long)
    return list(due.order_by("pk").values_list("pk", flat=True)[:100])


def give_up_abandoned() -> int:
    """Ends abandoned changes that nobody will go on with; how many."""
    hopeless = PairsChange.objects.filter(abandoned(), attempts__gte=MOST_ATTEMPTS)
    for change in hopeless:
        if change.cancel_asked_at:
            finish(change, State.CANCELLED)
        else:
            finish(change, State.FAILED, reason=NO_END)
    return len(hopeless)
