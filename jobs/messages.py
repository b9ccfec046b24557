"""Messages that tell workers that there may be work.

A message names a task by its text and a row by its id. So whoever writes the row needs to know neither the task's code
nor whether the broker is there: what is not sent now, a sweep sends later.
"""

from collections.abc import Iterable

from django.db import transaction

from diptych.broker import JOB_WAIT_S, WAIT_S, broker, channel

#: Messages worth having in a queue at once. Rows beyond them wait for the sweep, so that a long queue of rows does not
#: become a longer one of messages.
FULL = 1000


def send(task: str, row_ids: Iterable[int], *, within_s: float = WAIT_S) -> int:
    """Send a message for each row, at most `FULL`, to the task of this name. Return how many were sent."""
    return broker.send(task, list(row_ids)[:FULL], within_s=within_s)


def send_after_commit(task: str, row_ids: Iterable[int]) -> None:
    """Send a message for each row once the transaction has committed, or now if there is none."""
    ids = list(row_ids)
    transaction.on_commit(lambda: send(task, ids))


def queued(queue: str) -> int:
    """Return how many messages lie in the queue."""
    with channel(step_s=JOB_WAIT_S) as opened:
        # Not `passive`: to a Redis-protocol broker an empty queue does not exist, and asking for it would fail.
        return int(opened.queue_declare(queue).message_count)
