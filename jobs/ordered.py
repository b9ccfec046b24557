"""Jobs that a person orders and that go through many rows in steps.

A study, or another subject of a job, has one such job at a time: the model's constraint `<model>_one_open` decides.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import IntegrityError, transaction

from diptych.refusals import Refused
from jobs import engine
from jobs.heartbeat import heartbeat
from jobs.models import Job
from jobs.policy import Policy

Row = TypeVar("Row", bound=Job)


@contextmanager
def one_at_a_time(policy: Policy[Row], sentence: str, code: str = "") -> Iterator[None]:
    """Raise Refused with `sentence` if the block would create a second unfinished job."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if f"{policy.model._meta.model_name}_one_open" not in str(error):
            raise
        raise Refused(sentence, code) from error


def begin(policy: Policy[Row], job: Row, run: Callable[[int], None], *, right_away: int) -> Row:
    """Run a job of up to `right_away` steps while the person waits, and leave a larger one to a worker.

    Return the job as it is afterwards.
    """
    if job.steps_total > right_away:
        engine.announce(policy, job.pk)
    else:
        run(job.pk)
        job.refresh_from_db()
    return job


def go_through(policy: Policy[Row], job: Row, step: Callable[[Row], bool]) -> None:
    """Call `step` until it returns False, and end the job. Raises what `step` raises.

    Each step is one transaction, which also writes the progress of the job. So if a worker is killed, the next one
    continues after the last step.
    """
    with heartbeat(policy, job):
        while step(job):
            pass
        engine.end(policy, job.pk, job.fence, Job.State.DONE)
