"""Tasks of suspensions and pauses."""

from celery import shared_task

from jobs import engine
from suspensions import pauses_undone, pausing, suspension_work


@shared_task
def carry_out_suspension(suspension_id: int) -> None:
    """Return or restore the answers of a suspended person, if the job waits and no other worker has it."""
    suspension_work.run(suspension_id)


@shared_task
def look_after_suspensions() -> int:
    """Send messages for suspensions that wait too long, or whose worker is gone. Return how many."""
    return engine.sweep(suspension_work.POLICY)


@shared_task
def judge_people() -> int:
    """Judge people by the pause rules of their studies, and end pauses that rested on a wrong control.

    Return how many were judged.
    """
    pauses_undone.reconsider_all()
    return pausing.judge_all()
