"""Keep a claim on a row alive while work goes on."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from django.db import DatabaseError, InterfaceError, connection

from jobs import engine
from jobs.models import Job
from jobs.policy import Policy

logger = logging.getLogger(__name__)


@contextmanager
def beating(beat: Callable[[], object], *, every_s: float, about: object) -> Iterator[None]:
    """Call `beat` again and again from a thread with its own connection, also after database errors."""
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


def heartbeat(policy: Policy[Any], job: Job, beat: Callable[[], object] | None = None) -> AbstractContextManager[None]:
    """Keep the claim on a job alive within a `with` block. `beat` replaces the function that each heartbeat calls."""
    keep = partial(engine.beat, policy, job.pk, job.fence)
    return beating(beat or keep, every_s=policy.beat_every_s, about=f"{policy.name} {job}")
