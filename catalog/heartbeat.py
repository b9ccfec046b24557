"""Keeping a claim on a row alive while what it is about goes on."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, connection

logger = logging.getLogger(__name__)


@contextmanager
def beating(beat: Callable[[], object], *, every_s: float, about: object) -> Iterator[None]:
    """Calls `beat` from a thread with a connection of its own, which outlives trouble with the database."""
    stop = threading.Event()

    def go_on() -> None:
        try:
            while not stop.wait(every_s):
                try:
                    beat()
                except (DatabaseError, InterfaceError) as error:
                    logger.warning("%s missed a heartbeat: %s", about, error)
                    connection.close()  # the next beat opens another one
        finally:
            connection.close()

    thread = threading.Thread(target=go_on, name=f"heartbeat {about}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
