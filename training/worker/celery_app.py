"""The worker as a Celery process of the queue `gpu`, which a message wakes: it needs REDIS_URL, and no database.

    celery -A training.worker.celery_app worker -Q gpu --pool solo

A message only says that there may be work. The server decides who gets a run.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down

from training.worker.looping import Worker
from training.worker.options import from_environment

app = Celery("training", broker=os.environ.get("REDIS_URL", ""))
app.conf.update(
    task_default_queue="gpu",
    task_acks_late=False,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_concurrency=1,
    worker_pool="solo",
    broker_connection_retry_on_startup=True,
)
_worker: list[Worker] = []


@worker_ready.connect
def begin(**_: Any) -> None:
    """Start the worker, continue what it had before, and do what waits."""
    worker = from_environment()
    _worker.append(worker)  # before a run is continued, so that `stop` reaches it
    worker.__enter__()
    train.delay(0)


@worker_shutting_down.connect
def stop(**_: Any) -> None:
    """Let the program of the present run write a checkpoint, and give the run back."""
    for worker in _worker:
        worker.stop.set()


@worker_shutdown.connect
def end(**_: Any) -> None:
    """Let another process use the folder."""
    for worker in _worker:
        worker.__exit__()


@app.task(name="training.tasks.train")
def train(run_id: int) -> None:
    """Do all runs that wait. The id in the message is not needed."""
    for worker in _worker:
        worker.work_through()
