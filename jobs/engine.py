"""Claim a job, keep the claim alive, and end the job, in the same way for every kind of work.

The row in the database is the queue. A message only says that there may be work. A worker claims a row with a fence
number, and works outside any transaction while a heartbeat keeps the claim alive. It writes only if the row still has
that number. So a lost message, a duplicate message or a killed worker costs only time.

Each function needs only a policy, a job's id and the fence number of the claim. A worker without a database could
later call them through an API.
"""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from diptych.broker import JOB_WAIT_S
from jobs import messages
from jobs.models import Job
from jobs.policy import Policy

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=Job)
State = Job.State


class Cancelled(Exception):
    """Somebody cancelled the job."""


class TakenOver(Exception):
    """The claim is lost: another worker has the job, or it has ended."""


class Claim(NamedTuple):
    """The state of a claim: whether it still holds, and whether somebody asked to cancel the job."""

    holds: bool
    cancel_asked: bool


# --- Which rows ---------------------------------------------------------------------------------------------


def rows(policy: Policy[Row]) -> QuerySet[Row]:
    """Return all jobs of this kind."""
    return policy.model._default_manager.all()


def rested() -> Q:
    """Return the condition for waiting rows whose pause, if any, is over."""
    return Q(Q(wait_until=None) | Q(wait_until__lte=timezone.now()), state=State.WAITING)


def abandoned(policy: Policy[Row]) -> Q:
    """Return the condition for rows whose worker's heartbeat stopped."""
    return Q(state=State.RUNNING, heartbeat_at__lt=timezone.now() - policy.abandoned_after)


def free(policy: Policy[Row]) -> Q:
    """Return the condition for rows that a worker may claim by id."""
    return Q(policy.claimable, rested() | abandoned(policy), attempts__lt=policy.most_attempts)


def claimed(policy: Policy[Row], job_id: int, fence: int) -> QuerySet[Row]:
    """Return the job's row as a queryset, which is empty once the claim no longer holds."""
    return rows(policy).filter(policy.held_while, pk=job_id, state=State.RUNNING, fence=fence)


# --- Claiming -----------------------------------------------------------------------------------------------

CLAIM = """
WITH due AS MATERIALIZED ({due} FOR NO KEY UPDATE SKIP LOCKED)
UPDATE {table} job
   SET state = 'running', fence = fence + 1, attempts = attempts + 1, heartbeat_at = statement_timestamp(),
       started_at = coalesce(started_at, statement_timestamp()), wait_until = NULL, reason = ''
  FROM due
 WHERE job.id = due.id
RETURNING job.*
"""


def claim(policy: Policy[Row], job_id: int) -> Row | None:
    """Claim this job for a worker. Return None if it has ended, is in a pause, or another worker has it."""
    return _claim_first(policy, rows(policy).filter(free(policy), pk=job_id))


def claim_next(policy: Policy[Row]) -> Row | None:
    """Claim the first due job in the policy's order. Return None if there is none.

    Rows that another worker is claiming are skipped, so that workers never wait for each other.
    """
    return _claim_first(policy, rows(policy).filter(policy.claimable, rested()).order_by(*policy.order))


def _claim_first(policy: Policy[Row], due: QuerySet[Row]) -> Row | None:
    chosen, values = due.values("id")[:1].query.sql_with_params()
    statement = CLAIM.format(due=chosen, table=connection.ops.quote_name(policy.model._meta.db_table))
    return next(iter(policy.model._default_manager.raw(statement, values)), None)


# --- While it is worked on -----------------------------------------------------------------------------------


def beat(policy: Policy[Row], job_id: int, fence: int, **progress: Any) -> Claim:
    """Keep the claim alive, write `progress` into the columns of the row, and return the state of the claim."""
    holds = claimed(policy, job_id, fence).update(heartbeat_at=timezone.now(), **progress)
    return look(policy, job_id, fence) if holds else Claim(False, False)


def look(policy: Policy[Row], job_id: int, fence: int) -> Claim:
    """Return the state of the claim, without keeping it alive."""
    asked = list(claimed(policy, job_id, fence).values_list("cancel_asked_at", flat=True))
    return Claim(bool(asked), any(asked))


def go_on_or_raise(policy: Policy[Row], job_id: int, fence: int) -> None:
    """Raise Cancelled if somebody cancelled the job, and TakenOver if the claim no longer holds."""
    now = look(policy, job_id, fence)
    if not now.holds:
        raise TakenOver
    if now.cancel_asked:
        raise Cancelled


def locked(policy: Policy[Row], job_id: int, fence: int) -> Row:
    """Return the row, locked until the transaction ends. Raises Cancelled and TakenOver.

    A worker that has lost its claim waits here for the new worker's transaction, and then raises TakenOver.
    """
    job = claimed(policy, job_id, fence).select_for_update(of=("self",), no_key=True).first()
    if job is None:
        raise TakenOver
    if job.cancel_asked_at is not None:
        raise Cancelled
    return job


def get_further(job: Job, **progress: Any) -> None:
    """Write the progress of a locked job. Its attempts and pauses are counted from zero again."""
    _write(job, progress | {"attempts": 0, "pauses": 0})


def _write(job: Job, columns: dict[str, Any]) -> None:
    for name, value in columns.items():
        setattr(job, name, value)
    job.save(update_fields=list(columns))


def run(policy: Policy[Row], job_id: int, work: Callable[[Row], object]) -> None:
    """Claim the job and work on it, if it waits and no other worker has it."""
    job = claim(policy, job_id)
    if job is not None:
        work_on(policy, job, work)


def work_on(policy: Policy[Row], job: Row, work: Callable[[Row], object]) -> None:
    """Work on a claimed job. Afterwards it is done, failed, cancelled, or waits for another attempt.

    If `work` succeeds, it ends the job itself, in the transaction of what it writes. Its exceptions decide the rest:

    1. Cancelled ends the job as cancelled. TakenOver leaves it to the worker that has it.
    2. Errors in `policy.final` fail the job with their own sentence.
    3. Errors in `policy.uncounted` and `policy.counted` put the job back for another attempt.
    4. Every other error is a fault of the program, and fails the job.
    """
    try:
        work(job)
    except Cancelled:
        end(policy, job.pk, job.fence, State.CANCELLED)
    except TakenOver:
        logger.warning("%s %s was taken over by another worker", policy.name, job)
    except policy.final as error:
        end(policy, job.pk, job.fence, State.FAILED, reason=str(error))
    except policy.uncounted as error:
        _after_trouble(policy, job, error, counted=False)
    except policy.counted as error:
        _after_trouble(policy, job, error, counted=True)
    except Exception as error:
        logger.exception("%s %s stopped", policy.name, job)
        end(policy, job.pk, job.fence, State.FAILED, reason=fault_text(error))


def _after_trouble(policy: Policy[Row], job: Row, error: Exception, *, counted: bool) -> None:
    is_known = isinstance(error, OSError | OperationalError | InterfaceError)
    logger.error("%s %s waits after an error: %s", policy.name, job, error, exc_info=not is_known)
    if not connection.is_usable():
        connection.close()  # the next query opens another one
    put_back(policy, job.pk, job.fence, policy.trouble_text(error), counted=counted)


def fault_text(error: BaseException) -> str:
    """Return the reason that a job gives for a fault of the program. The text of the error is only in the log."""
    return (
        f"A fault of the program stopped the job ({type(error).__name__}). Tell the operator of this installation. "
        "The log says more."
    )


# --- Putting back and ending ---------------------------------------------------------------------------------


@transaction.atomic
def put_back(policy: Policy[Row], job_id: int, fence: int, trouble: str, *, counted: bool = True) -> None:
    """Give up the claim, if it still holds, so that any worker can take the job after a pause.

    An attempt that is not `counted` does not bring the job nearer to failing. After the last counted attempt it
    fails. A job that somebody cancelled ends as cancelled.
    """
    job = claimed(policy, job_id, fence).select_for_update(of=("self",), no_key=True).first()
    if job is None:
        logger.warning("%s %s was taken over by another worker", policy.name, job_id)
    elif job.cancel_asked_at is not None:
        _end(policy, job, State.CANCELLED, "", {})
    elif counted and job.attempts >= policy.most_attempts:
        words = {"trouble": trouble, "attempts": job.attempts}
        _end(policy, job, State.FAILED, policy.tried_in_vain % words, {})
    else:
        pauses = job.pauses + 1
        columns: dict[str, Any] = {
            "state": State.WAITING,
            "reason": trouble,
            "stage": "",
            "heartbeat_at": None,
            "pauses": pauses,
        }
        columns |= {"wait_until": timezone.now() + policy.pause(pauses)}
        columns |= {"attempts": job.attempts if counted else job.attempts - 1}
        _write(job, columns)
        policy.waits(job)


@transaction.atomic
def end(
    policy: Policy[Row],
    job_id: int,
    fence: int,
    state: str,
    *,
    reason: str = "",
    only: Q | None = None,
    **columns: Any,
) -> bool:
    """End a claimed job and write `columns`. Return False, and write nothing, if the claim is lost.

    `policy.ended` is called in the same transaction. `only` is a condition that the row must still meet.
    """
    rows_left = claimed(policy, job_id, fence).filter(only or Q())
    job = rows_left.select_for_update(of=("self",), no_key=True).first()
    if job is None:
        logger.warning("%s %s was taken over by another worker", policy.name, job_id)
        return False
    _end(policy, job, state, reason, columns)
    return True


def _end(policy: Policy[Row], job: Row, state: str, reason: str, columns: dict[str, Any]) -> None:
    """End a job whose row is locked."""
    columns |= {"state": state, "reason": reason, "finished_at": timezone.now(), "heartbeat_at": None}
    _write(job, columns | {"stage": "", "wait_until": None})
    policy.ended(job)


@transaction.atomic
def cancel(policy: Policy[Row], job_id: int, *, only: Q | None = None) -> bool:
    """Cancel a job: immediately if no worker has it, or else at its next step. Return whether anything changed.

    `only` is a condition that the row must meet.
    """
    uncancelled = rows(policy).filter(only or Q(), pk=job_id, finished_at=None, cancel_asked_at=None)
    job = uncancelled.select_for_update(of=("self",), no_key=True).first()
    if job is None:
        return False
    job.cancel_asked_at = timezone.now()
    if job.state == State.RUNNING:
        job.save(update_fields=["cancel_asked_at"])
    else:
        _end(policy, job, State.CANCELLED, "", {"cancel_asked_at": job.cancel_asked_at})
    return True


#: The columns of a job that nobody has tried yet.
FRESH: dict[str, Any] = {
    "reason": "",
    "attempts": 0,
    "pauses": 0,
    "started_at": None,
    "finished_at": None,
    "heartbeat_at": None,
    "cancel_asked_at": None,
    "wait_until": None,
}


def resume(jobs: QuerySet[Row], **columns: Any) -> int:
    """Make ended jobs wait for a worker again, as though nobody had tried them. Return how many.

    The caller locks the rows if it has more to write, and calls `announce` for them.
    """
    return jobs.filter(finished_at__isnull=False).update(**FRESH | {"state": State.WAITING} | columns)


# --- Sweeping ---------------------------------------------------------------------------------------------------


def announce(policy: Policy[Row], *job_ids: int) -> None:
    """Send messages about the jobs after the commit. Without a broker, the sweep sends them later."""
    messages.send_after_commit(policy.task, job_ids)


def waiting_too_long(policy: Policy[Row], most: int) -> list[int]:
    """Return jobs whose message may be lost: a pause is over, a worker is gone, or no worker came."""
    now = timezone.now()
    forgotten = Q(wait_until=None, created_at__lt=now - policy.resend_after)
    due = Q(Q(wait_until__lte=now) | forgotten, state=State.WAITING) | abandoned(policy)
    waiting = rows(policy).filter(policy.claimable, due, attempts__lt=policy.most_attempts)
    return list(waiting.order_by(*(policy.order or ("created_at", "pk"))).values_list("pk", flat=True)[:most])


def give_up_abandoned(policy: Policy[Row]) -> tuple[int, int]:
    """Take abandoned jobs away from workers that are gone. Return how many were put back, and how many ended.

    A job without attempts left fails, and a cancelled job ends. The other jobs can be claimed again by their id. If
    the policy has an order, claims find only waiting rows, so these jobs are put back to waiting.
    """
    gone = abandoned(policy)
    hopeless = Q(attempts__gte=policy.most_attempts) | Q(cancel_asked_at__isnull=False)
    ended = 0
    for job in rows(policy).filter(policy.claimable, gone, hopeless):
        state = State.CANCELLED if job.cancel_asked_at else State.FAILED
        reason = "" if job.cancel_asked_at else policy.begun_in_vain % {"attempts": job.attempts}
        ended += end(policy, job.pk, job.fence, state, reason=reason, only=gone)
    put_back = 0
    if policy.order:
        left = rows(policy).filter(gone).exclude(hopeless)
        put_back = left.update(state=State.WAITING, heartbeat_at=None)
    return put_back, ended


def sweep(policy: Policy[Row]) -> int:
    """Give up abandoned jobs, and send messages for jobs that wait too long. Return how many messages are due.

    If the queue is already full of messages, nothing is sent.
    """
    give_up_abandoned(policy)
    if messages.queued(policy.queue) >= messages.FULL:
        return 0
    waiting = waiting_too_long(policy, messages.FULL)
    messages.send(policy.task, waiting, within_s=JOB_WAIT_S)
    return len(waiting)
