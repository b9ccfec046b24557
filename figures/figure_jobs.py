"""Compute the figures of a study as a job, and find the newest ones.

A computation reads everything in seconds and then calculates for up to some minutes, outside any transaction. A worker
that is killed loses the computation, and the next one starts it again: it has the same result.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import audit
from accounts.models import User
from annotation.models import Annotation
from figures.models import StudyFigures
from jobs import engine, ordered
from jobs.heartbeat import heartbeat
from jobs.policy import Policy
from jobs.progress import JobProgress
from qc.models import Verdict
from studies.models import Study

Kind, State = StudyFigures.Kind, StudyFigures.State
BUSY = gettext_noop("These figures are being computed already. Wait until that ends, or cancel it.")
COMPUTING = gettext_noop("Computing the figures")
TROUBLE = gettext_noop(
    "The database failed several times. Tell the operator of this installation. The log has details."
)
NO_END = gettext_noop("The figures were started several times but never ended. Tell the operator of this installation.")


def newest(study: Study, kind: str) -> StudyFigures | None:
    """Return the newest computed figures of this kind, or None if nobody has computed them yet."""
    return StudyFigures.objects.filter(study=study, kind=kind, state=State.DONE).order_by("-pk").first()


def compute(study: Study, kind: str, *, actor: User) -> StudyFigures:
    """Have the figures of this kind computed by a worker. Return the job. Raise Refused while another one is open."""
    with transaction.atomic(), ordered.one_at_a_time(POLICY, _(BUSY), "busy"):
        job = StudyFigures.objects.create(study=study, kind=Kind(kind), asked_by=actor)
        audit.record("figures.asked", job, actor=actor, study_slug=study.slug, after={"kind": job.kind})
        engine.announce(POLICY, job.pk)
    return job


def cancel(job: StudyFigures, *, actor: User) -> None:
    """Cancel a computation. The figures before it stay."""
    with transaction.atomic():
        if engine.cancel(POLICY, job.pk):
            audit.record("figures.cancelled", job.study, actor=actor, study_slug=job.study.slug)


def run(job_id: int) -> None:
    """Do the computation, if it waits and no other worker has it."""
    engine.run(POLICY, job_id, work)


def work(job: StudyFigures) -> None:
    """Compute the figures, and store them with the end of the job. Raises Cancelled and TakenOver.

    Earlier figures of the same kind are deleted in the same transaction: they can be computed again.
    """
    progress = JobProgress(POLICY, job)
    inputs = inputs_of(job.study)
    with heartbeat(POLICY, job, progress.beat):
        result = KINDS[job.kind](job.study, partial(progress.begin, COMPUTING), progress.advance)
        with transaction.atomic():
            if engine.end(POLICY, job.pk, job.fence, State.DONE, result=result, inputs=inputs):
                older = StudyFigures.objects.filter(study=job.study_id, kind=job.kind, pk__lt=job.pk)
                older.filter(finished_at__isnull=False).delete()


def inputs_of(study: Study) -> dict[str, int]:
    """Return the marks up to which figures that are computed now have seen the study."""
    annotation = Annotation.objects.filter(study=study).aggregate(pk=Max("pk", default=0))["pk"]
    verdict = Verdict.objects.filter(study=study).aggregate(pk=Max("pk", default=0))["pk"]
    return {"annotation": annotation, "verdict": verdict}


def is_behind(figures: StudyFigures) -> bool:
    """Return whether answers came after the figures were computed."""
    return Annotation.objects.filter(study=figures.study_id, pk__gt=figures.inputs.get("annotation", 0)).exists()


# Only workers compute, so only they load numpy. The pages show what is stored.


def _agreement(study: Study, begin: Callable[[int], None], advance: Callable[[], None]) -> Any:
    from figures.agreement.figures import compute as compute_agreement

    return compute_agreement(study, begin, advance)


def _annotators(study: Study, begin: Callable[[int], None], advance: Callable[[], None]) -> Any:
    from figures.annotators.figures import compute as compute_annotators

    return compute_annotators(study, begin, advance)


def record_outcome(job: StudyFigures) -> None:
    """Write the outcome into the audit record, however the computation ended."""
    after = {"kind": job.kind, "state": job.state, "inputs": job.inputs}
    audit.record("figures.ended", job, actor=job.asked_by, study_slug=job.study.slug, after=after)


#: A function for each kind: the figures of a study as JSON. It reports its steps to the two other functions.
KINDS: dict[str, Callable[[Study, Callable[[int], None], Callable[[], None]], Any]] = {
    Kind.AGREEMENT: _agreement,
    Kind.ANNOTATORS: _annotators,
}

POLICY = Policy(
    model=StudyFigures,
    name="Figures",
    task="figures.tasks.compute_figures",
    tried_in_vain=TROUBLE,
    begun_in_vain=NO_END,
    beat_every_s=1.0,
    ended=record_outcome,
)
