"""Celery tasks of training that need the database. Workers of the queue `gpu` have theirs in `training/worker/`."""

from celery import shared_task

from diptych.broker import JOB_WAIT_S
from jobs import engine, messages
from training import registry, rules, scoring_rules
from training.policy import POLICY, QUEUE, TASK


@shared_task
def look_after_training() -> int:
    """Give up runs whose worker is gone, queue runs by rules, and wake workers. Return how many runs wait.

    Workers that ask the API in turn read no messages. So messages are sent again only if the queue is empty: it never
    has more than one for each waiting run.
    """
    engine.give_up_abandoned(POLICY)
    rules.queue_due()
    scoring_rules.queue_due()
    waiting = engine.waiting_too_long(POLICY, messages.FULL)
    if waiting and not messages.queued(QUEUE):
        messages.send(TASK, waiting, within_s=JOB_WAIT_S)
    return len(waiting)


@shared_task
def decide_models(run_id: int | None = None) -> int:
    """Decide about the model versions that wait for it. Return how many were decided.

    Then make the details of all decided versions that have none. A message comes with each run that ends, and a sweep
    repeats it.
    """
    from training import details  # it loads numpy, which only workers need

    decided = registry.decide_waiting(run_id)
    details.make_missing()
    return decided
