"""In what kinds of jobs differ."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from django.db import InterfaceError, OperationalError
from django.db.models import Q

from jobs.models import Job

Row = TypeVar("Row", bound=Job)
Errors = tuple[type[Exception], ...]

#: Trouble with the database that may pass by itself.
DATABASE_TROUBLE: Errors = (OperationalError, InterfaceError)


def trouble_text(error: Exception) -> str:
    """Return what a row says about an error that may pass by itself."""
    if isinstance(error, OSError | OperationalError | InterfaceError):
        return getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return f"{type(error).__name__}, see the log"


def doubling(first: timedelta, longest: timedelta = timedelta(days=1)) -> Callable[[int], timedelta]:
    """Return a function from the number of pauses in a row to the length of the last, each twice the one before."""
    return lambda pauses: min(longest, first * 2 ** min(pauses - 1, 20))


def drawn(shortest: timedelta, longest: timedelta) -> Callable[[int], timedelta]:
    """Return a function like `doubling`, from `shortest` on, that draws each pause between its length and twice that.

    What failed together then does not come back together. No pause is longer than `longest`.
    """

    def pause(pauses: int) -> timedelta:
        most = min(longest, shortest * 2 ** min(pauses, 20))
        return most * random.uniform(0.5, 1)  # noqa: S311 - no secret

    return pause


#: One minute, then two, four, eight.
MINUTES = doubling(timedelta(minutes=1))
EVERY_ROW = Q()


def _nothing(job: Any) -> None:
    """Do nothing more in the transaction that puts a job back or ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Generic[Row]):
    """How jobs of one kind are claimed, tried again and ended."""

    model: type[Row]
    #: What log lines call a job.
    name: str
    #: The Celery task that takes a row's id, and the queue of its messages.
    task: str
    queue: str = "default"
    #: Rows that workers may claim. Others belong to somebody else, such as a command that does the work itself.
    claimable: Q = EVERY_ROW
    #: What a running row must meet besides, or its claim is lost.
    held_while: Q = EVERY_ROW
    #: The order in which `claim_next` chooses, which an index has. Empty: jobs are claimed only by id.
    order: tuple[str, ...] = ()
    #: Seconds between two heartbeats, and after how long without one a claim is given up.
    beat_every_s: float = 5.0
    abandoned_after: timedelta = timedelta(seconds=30)
    #: A message is sent again for a row that has waited this long.
    resend_after: timedelta = timedelta(seconds=30)
    #: Errors that fail a job with their own sentence; that put it back without counting; that put it back and count.
    #: Every other error is a fault of the program and fails it at once.
    final: Errors = ()
    uncounted: Errors = ()
    counted: Errors = DATABASE_TROUBLE
    #: A job fails after this many counted attempts.
    most_attempts: int = 5
    #: How long it waits after it was put back this many times in a row.
    pause: Callable[[int], timedelta] = MINUTES
    #: What a row says about the error that put it back.
    trouble_text: Callable[[Exception], str] = trouble_text
    #: Reasons of a job that failed after trouble in each attempt, and of one whose workers never came back.
    tried_in_vain: str = "%(trouble)s. It was tried %(attempts)s times. Tell who runs the server."
    begun_in_vain: str = "It was begun %(attempts)s times and never came to an end."
    #: Called with the row of a job that was just put back, or has just ended, in the same transaction.
    waits: Callable[[Row], None] = _nothing
    ended: Callable[[Row], None] = _nothing
