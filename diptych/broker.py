"""Tell Celery's workers that there may be work, without ever waiting for the broker.

Rows in the database are the queue. A message only says that there may be work, and a periodic sweep sends messages
again for rows that have waited too long. So requests work without the broker when it is away. A request waits for it
for at most `WAIT_S` seconds. In the `PAUSE_S` seconds after that, no request of the process waits for it at all.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

#: Seconds that one step of reaching the broker may take: connecting, signing in, or a message.
STEP_S = 0.3
#: Seconds after which a request sends no further message; those that are left out wait for the sweep.
WAIT_S = 0.3
#: Seconds that a sweep or a job may take to send its messages: nobody waits for them.
JOB_WAIT_S = 10.0
#: Seconds for which nothing is sent after the broker did not respond in time.
PAUSE_S = 5.0

#: The errors that mean that the broker cannot be reached, or does not do what it is asked.
UNREACHABLE = (OSError, OperationalError, RedisError)


class Broker:
    """The broker as one process knows it. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paused_until = float("-inf")

    def send(self, task: str, row_ids: Iterable[int], *, within_s: float = WAIT_S) -> int:
        """Send a message for each row to the task of that name, such as `media.tasks.transcode_asset`.

        The task is named, since a module that announces work is imported by the tasks that do it. Return the number of
        messages that were sent. The sweep sends the rest.
        """
        ids = list(row_ids)
        if not ids or not self._may_try():
            return 0
        sent, deadline = 0, time.monotonic() + within_s
        try:
            with channel() as opened:
                producer = current_app.amqp.Producer(opened)
                for row_id in ids:
                    if sent and time.monotonic() > deadline:
                        break
                    current_app.signature(task, (row_id,)).apply_async(producer=producer, retry=False)
                    sent += 1
        except UNREACHABLE as error:
            self._pause()
            logger.warning(
                "The broker does not respond, so %d of %s wait for the next sweep: %s",
                len(ids) - sent,
                task,
                error,
            )
        else:
            self._paused_until = float("-inf")
        return sent

    def responds(self) -> bool:
        """Return whether the broker responds within a second."""
        try:
            with channel():
                return True  # opening a channel pings the broker
        except UNREACHABLE:
            return False

    def _may_try(self) -> bool:
        """Return whether to try now.

        After a failure, one thread tries again every `PAUSE_S` seconds and the others do not wait.
        """
        with self._lock:
            now = time.monotonic()
            if now < self._paused_until:
                return False
            if self._paused_until > float("-inf"):
                self._paused_until = now + PAUSE_S
            return True

    def _pause(self) -> None:
        with self._lock:
            self._paused_until = time.monotonic() + PAUSE_S


@contextmanager
def channel(step_s: float = STEP_S) -> Iterator[Any]:
    """Open a channel to the broker on which no step takes longer than `step_s` and nothing is tried twice.

    Each channel has a new connection. Before a kept one could be used, we would have to find out whether it still
    works.

    Raises one of `UNREACHABLE`.
    """
    options = {"socket_timeout": step_s, "socket_connect_timeout": step_s, "retry_on_timeout": False}
    with current_app.connection_for_write(transport_options=options) as connection:
        connection.ensure_connection(max_retries=0)
        with connection.channel() as opened:
            yield opened


#: The broker of this process.
broker = Broker()
