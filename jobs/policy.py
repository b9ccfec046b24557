"""Policies: how the kinds of jobs differ."""

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

#: Database errors that may pass without a change.
DATABASE_TROUBLE: Errors = (OperationalError, InterfaceError)


def trouble_text(error: Exception) -> str:
    """Return what a row says about an error that may pass."""
    if isinstance(error, OSError | OperationalError | InterfaceError):
        return getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return f"{type(error).__name__}, see the log"


def doubling(first: timedelta, longest: timedelta = timedelta(days=1)) -> Callable[[int], timedelta]:
    """Return a function from the number of pauses in a row to the length of the next pause, which doubles each time."""
    return lambda pauses: min(longest, first * 2 ** min(pauses - 1, 20))


def drawn(shortest: timedelta, longest: timedelta) -> Callable[[int], timedelta]:
    """Return a function like `doubling`, but with random lengths. The shortest pause is `shortest`.

    Each pause is drawn between a length and twice that length, so that jobs that failed together are not tried
    together again. No pause is longer than `longest`.
    """

    def pause(pauses: int) -> timedelta:
        most = min(longest, shortest * 2 ** min(pauses, 20))
        return most * random.uniform(0.5, 1)  # noqa: S311 - no secret

    return pause


#: Pauses of one minute, then two, four, eight.
MINUTES = doubling(timedelta(minutes=1))
EVERY_ROW = Q()


def _nothing(job: Any) -> None:
    """Do nothing: the default for `waits` and `ended`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Generic[Row]):
    """How jobs of one kind are claimed, tried again and ended."""

    model: type[Row]
    #: The name of such a job in log lines.
    name: str
    #: The Celery task that takes a row's id, and the queue of its messages.
    task: str
    queue: str = "default"
    #: Rows that workers may claim. Other rows belong to, for example, a command that does the work itself.
    claimable: Q = EVERY_ROW
    #: A further condition for running rows. If it is not met, the claim is lost.
    held_while: Q = EVERY_ROW
    #: The order in which `claim_next` chooses. It needs an index. Empty: jobs are claimed only by id.
    order: tuple[str, ...] = ()
    #: Seconds between two heartbeats, and the time without a heartbeat after which a claim is given up.
    beat_every_s: float = 5.0
    abandoned_after: timedelta = timedelta(seconds=30)
    #: A message is sent again for a row that has waited this long.
    resend_after: timedelta = timedelta(seconds=30)
    #: Errors that fail a job with their own sentence, that put it back without counting the attempt, and that put it
    #: back and count the attempt. Every other error is a fault of the program and fails the job immediately.
    final: Errors = ()
    uncounted: Errors = ()
    counted: Errors = DATABASE_TROUBLE
    #: A job fails after this many counted attempts.
    most_attempts: int = 5
    #: A function from how many times in a row the job was put back to how long it waits.
    pause: Callable[[int], timedelta] = MINUTES
    #: A function from the error that put the job back to the reason in the row.
    trouble_text: Callable[[Exception], str] = trouble_text
    #: The reasons of a job that failed in each attempt, and of a job whose workers never came back.
    tried_in_vain: str = "%(trouble)s. The job was tried %(attempts)s times. Tell the operator of this installation."
    begun_in_vain: str = "The job was started %(attempts)s times and never ended."
    #: Functions that are called with the row after a job is put back, or has ended, in the same transaction.
    waits: Callable[[Row], None] = _nothing
    ended: Callable[[Row], None] = _nothing
