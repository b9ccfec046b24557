"""How runs are claimed, tried again and ended. Workers on other machines do them (`training/worker/`)."""

from datetime import timedelta

from django.utils.translation import gettext_noop

from accounts import audit
from jobs import messages
from jobs.policy import Policy, doubling
from training.models import Run
from webhooks import outbox

State = Run.State
#: The name of the task that wakes workers which listen to the queue `gpu`. `training/worker/celery_app.py` has it.
TASK = "training.tasks.train"
QUEUE = "gpu"
#: The task that compares the versions that a run may have completed.
DECIDE = "training.tasks.decide_models"
NO_END = gettext_noop(
    "The run was started several times, and each time its worker was lost. Look at the machine of the worker."
)


def record_outcome(run: Run) -> None:
    """Write the outcome into the audit record and tell webhooks, however the run ended."""
    after = {"state": run.state, "reason": run.reason[:500]}
    audit.record("run.ended", run, actor=run.asked_by, study_slug=run.study.slug, after=after)
    if kind := {State.DONE: "run.done", State.FAILED: "run.failed"}.get(State(run.state)):
        outbox.record(run.study, kind, {"run": run.pk, "release": run.release.number})
        messages.send_after_commit(DECIDE, [run.pk])


POLICY = Policy(
    model=Run,
    name="Run",
    task=TASK,
    queue=QUEUE,
    order=("created_at", "pk"),
    # A worker beats over the network, from a thread beside the program.
    beat_every_s=10.0,
    abandoned_after=timedelta(seconds=90),
    most_attempts=5,
    pause=doubling(timedelta(seconds=2), longest=timedelta(minutes=10)),
    tried_in_vain="%(trouble)s",  # pages say how often, in the reader’s language
    begun_in_vain=NO_END,
    ended=record_outcome,
)
