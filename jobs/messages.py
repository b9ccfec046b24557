"""Messages that tell workers that there may be work.

A message has the name of a task and the id of a row. So code that writes the row needs neither the code of the task
nor a broker. A sweep later sends what could not be sent now.
"""

from collections.abc import Iterable

from django.db import transaction

from diptych.broker import JOB_WAIT_S, WAIT_S, broker, channel

#: The most messages in a queue at any time. Further rows wait for the sweep, so that many waiting rows do not become
#: a longer queue of messages.
FULL = 1000


def send(task: str, row_ids: Iterable[int], *, within_s: float = WAIT_S) -> int:
    """Send a message for each row, at most `FULL`, to the task of this name. Return how many were sent."""
    return broker.send(task, list(row_ids)[:FULL], within_s=within_s)


def send_after_commit(task: str, row_ids: Iterable[int]) -> None:
    """Send a message for each row once the transaction has committed, or now if there is none."""
    ids = list(row_ids)
    transaction.on_commit(lambda: send(task, ids))


def queued(queue: str) -> int:
    """Return how many messages are in the queue."""
    with channel(step_s=JOB_WAIT_S) as opened:
        # Not `passive`: in a Redis-protocol broker an empty queue does not exist, so a passive declaration would fail.
        return int(opened.queue_declare(queue).message_count)
