"""Make controls, as a job. Three kinds need a statement a step; re-encoding needs seconds a control.

A step is one transaction that also writes the progress, so a killed worker loses one step. Constraints decide if two
make the same: no video is re-encoded twice, and no pair is repeated twice to the same people.
"""

from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import audit
from accounts.models import User
from controls import consensus, reencoded, swapped
from controls.control_kinds import CONSENSUS_REPEAT, KINDS, REENCODED, SWAPPED_REPEAT
from controls.models import ControlsRun
from controls.writing import NewControl, write
from diptych.refusals import BadInput, Refused
from jobs import engine, ordered
from jobs.heartbeat import heartbeat
from jobs.policy import DATABASE_TROUBLE, Policy
from media.commands import CommandFailed, ProgramKilled
from media.originals import ContentTrouble, keeping
from studies.models import Study

#: The most controls of one run.
MOST = 1_000
A_STEP = 100
BUSY = gettext_noop("Controls are already being made in this study. Wait until that ends, or cancel it.")
TROUBLE = gettext_noop(
    "Controls could not be made: the job failed several times. Tell the operator of this installation."
)
NO_END = gettext_noop(
    "The job was started several times but made no progress. Tell the operator of this installation. The log has "
    "details."
)

#: By kind: how many are possible, and which are chosen. The app that knows settled tags adds tag gold.
possible_by_kind: dict[str, Callable[[Study, int], int]] = {
    CONSENSUS_REPEAT: consensus.possible,
    REENCODED: reencoded.possible,
    SWAPPED_REPEAT: swapped.possible,
}
chosen_by_kind: dict[str, Callable[[Study, int], list[NewControl]]] = {
    CONSENSUS_REPEAT: consensus.chosen,
    SWAPPED_REPEAT: swapped.chosen,
}


def possible(study: Study, kind: str) -> int:
    """Return how many more controls of the kind are possible now, counted up to `MOST`. Raise BadInput."""
    return possible_by_kind[_known(kind)](study, MOST)


def make(study: Study, kind: str, number: int, *, actor: User) -> ControlsRun:
    """Make up to `number` controls of a kind. Return the job, which makes fewer if fewer are possible.

    All kinds but re-encoding are done when this returns, if the number is small. Raise BadInput for a kind or number
    that does not exist, and Refused while other controls are made.
    """
    if not 1 <= number <= MOST:
        raise BadInput(_("Choose a number from 1 to %(most)s.") % {"most": MOST}, field="number")
    with transaction.atomic(), ordered.one_at_a_time(POLICY, _(BUSY)):
        job = ControlsRun.objects.create(study=study, kind=_known(kind), steps_total=number, asked_by=actor)
        after = {"kind": kind, "number": number}
        audit.record("controls.run_started", study, actor=actor, study_slug=study.slug, after=after)
    return ordered.begin(POLICY, job, run, right_away=0 if kind == REENCODED else MOST)


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise BadInput(_("There is no such kind of control: %(kind)s.") % {"kind": kind}, field="kind")
    return kind


def cancel(job: ControlsRun, *, actor: User) -> None:
    """Cancel a run: one that waits at once, one in progress after its present step. Its controls stay."""
    with transaction.atomic():
        if engine.cancel(POLICY, job.pk):
            audit.record("controls.run_cancelled", job, actor=actor, study_slug=job.study.slug)


def run(run_id: int) -> None:
    """Do the run, if it waits and no other worker has it."""
    engine.run(POLICY, run_id, work)


def work(job: ControlsRun) -> None:
    """Make the controls. Raise Cancelled, TakenOver, and errors of ffmpeg and of storage."""
    if job.kind != REENCODED:
        ordered.go_through(POLICY, job, step)
        return
    with heartbeat(POLICY, job), keeping():
        while _reencoded_step(job):
            engine.go_on_or_raise(POLICY, job.pk, job.fence)
        engine.end(POLICY, job.pk, job.fence, ControlsRun.State.DONE)


@transaction.atomic
def step(job: ControlsRun) -> bool:
    """Make the next controls, and store the progress. Return whether more are wanted and possible."""
    there = engine.locked(POLICY, job.pk, job.fence)
    wanted = min(A_STEP, there.steps_total - there.steps)
    new = chosen_by_kind[there.kind](there.study, wanted) if wanted else []
    try:
        with transaction.atomic():
            write(there.study, new, actor=there.asked_by)
    except IntegrityError:  # somebody else made one of them at the same moment: choose others in the next step
        return True
    made = there.made + len(new)
    engine.get_further(there, steps=made, made=made)
    return len(new) == wanted and made < there.steps_total


def _reencoded_step(job: ControlsRun) -> bool:
    """Re-encode one video, then write its control. The row is not locked while ffmpeg runs."""
    source = reencoded.chosen(job.study) if job.made < job.steps_total else None
    if source is None:
        return False
    copy = reencoded.stored_copy(source)
    with transaction.atomic():
        there = engine.locked(POLICY, job.pk, job.fence)
        reencoded.write_copy(there.study, copy, actor=there.asked_by)
        engine.get_further(there, steps=there.made + 1, made=there.made + 1)
    job.made = there.made + 1
    return True


def record_outcome(job: ControlsRun) -> None:
    """Write the outcome into the audit record, however the run ended."""
    after = {"state": job.state, "kind": job.kind, "made": job.made}
    audit.record("controls.run_ended", job.study, actor=job.asked_by, study_slug=job.study.slug, after=after)


POLICY = Policy(
    model=ControlsRun,
    name="Run of controls",
    task="controls.tasks.make_controls",
    queue="media",  # re-encoding needs ffmpeg
    counted=(*DATABASE_TROUBLE, OSError, ContentTrouble, CommandFailed, ProgramKilled, IntegrityError, Refused),
    most_attempts=5,  # attempts in a row without progress
    pause=lambda _pauses: timedelta(minutes=1),
    tried_in_vain=TROUBLE,
    begun_in_vain=NO_END,
    ended=record_outcome,
)
