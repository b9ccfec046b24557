"""Find out, without waiting, whether the database responds: for load balancers, which must always get a reply.

A thread of its own asks, over a connection of its own. So no health check waits longer than `WITHIN_S`: not for a lock,
not for a server that hangs, and not for a request that occupies this process's connections.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError
from typing import Any

from django.db import connections

logger = logging.getLogger(__name__)

WITHIN_S = 1.0
LIMITS = "SET statement_timeout = 1000; SET lock_timeout = 100"


class SharedQuery:
    """A query to the database. One thread runs it at a time. Others who ask meanwhile get the same reply."""

    def __init__(self, ask: Callable[[Any], Any]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._pending: Future[Any] | None = None

    def reply(self) -> Any:
        """Return the database's reply, or None if there is none within `WITHIN_S`."""
        with self._lock:
            if self._pending is None:
                self._pending = Future()
                threading.Thread(target=self._find_out, args=[self._pending], name="health", daemon=True).start()
            pending = self._pending
        try:
            return pending.result(WITHIN_S)
        except TimeoutError:
            logger.warning("The database did not reply within %s s.", WITHIN_S)
        except Exception as error:
            logger.warning("The database does not reply: %s", error)
        return None

    def _find_out(self, pending: "Future[Any]") -> None:
        connection = connections["default"]  # used by this thread only
        reply, failed = None, None
        try:
            with connection.cursor() as cursor:
                cursor.execute(LIMITS)
                reply = self._ask(cursor)
        except Exception as error:
            failed = error
        finally:
            connection.close()
        with self._lock:
            self._pending = None
        if failed:
            pending.set_exception(failed)
        else:
            pending.set_result(reply)


def _one(cursor: Any) -> bool:
    cursor.execute("SELECT 1")
    return bool(cursor.fetchone()[0] == 1)


#: The question of the health checks. Its reply is True.
database = SharedQuery(_one)
