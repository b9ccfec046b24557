"""Remove what an import added, or a whole study. Removals are jobs: see `jobs.engine`.

All rows are removed in one transaction, whose last statement ends the job. So a removal that is killed, cancelled or
refused removes nothing. The database's foreign keys decide whether a pair was served to someone, even if both happen at
the same time.
"""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from accounts import audit
from catalog import removal
from diptych.database import locks
from diptych.refusals import Refused
from importing.models import Import
from jobs import engine
from jobs.heartbeat import heartbeat
from jobs.policy import Policy
from jobs.progress import JobProgress
from removal import unused_files
from removal.models import Removal
from studies import deletion
from studies.models import Study

What, State = Removal.What, Removal.State
REMOVING = gettext_noop("Removing rows")
GIVEN = gettext_noop(
    "One of its pairs has been served to someone, so nothing was removed. You can hold its pairs or archive "
    "the study instead."
)
BUILT_ON = gettext_noop(
    "Other imports use its prompts or videos (%(numbers)s), so nothing was removed. Undo those imports first."
)
CONTROLS = gettext_noop(
    "Controls were made of its videos, so nothing was removed. Withdraw them if they are wrong, and hold the pairs of "
    "this import instead."
)
CHANGED = gettext_noop("Someone added to this material in the meantime, so nothing was removed. Try again.")
BUSY = gettext_noop("An import is adding material to this study, so nothing was removed. Try again when it has ended.")
GONE = gettext_noop("The study was already deleted.")
#: Why rows of a table of a higher app keep what they point at, by the table's name. Apps add theirs in `ready()`. Each
#: sentence is marked with `gettext_noop`.
kept_by: dict[str, str] = {}
#: Tables whose rows show that a pair was served to someone: those of the apps above, without seats and breaks.
OF_PEOPLE, PLACES = ("annotation_", "safety_"), ("annotation_seat", "annotation_break")


def run(removal_id: int) -> None:
    """Do the removal if it waits and no other worker has it."""
    engine.run(POLICY, removal_id, work)


def work(job: Removal) -> None:
    """Remove the rows and end the job. Raises Refused, Cancelled and TakenOver. In each case nothing is removed."""
    progress = JobProgress(POLICY, job)
    remove: Any = _undo_import if job.what == What.IMPORT else _delete_study
    with heartbeat(POLICY, job, progress.beat):
        try:
            with transaction.atomic():
                if not locks.try_lock(locks.Key.IMPORT_INTO_STUDY, job.study_number):
                    raise Refused(BUSY)
                removed = remove(job, progress)
                connection.check_constraints()  # now, and not only at the commit
                engine.locked(POLICY, job.pk, job.fence)
                engine.end(POLICY, job.pk, job.fence, State.DONE, removed=removed, files_left=True)
        except IntegrityError as error:
            raise Refused(_reason(job, error)) from error


def _undo_import(job: Removal, progress: JobProgress) -> dict[str, int]:
    assert job.import_number is not None  # noqa: S101 - a constraint holds it
    of_import = Q(import_number=job.import_number)
    progress.begin(REMOVING, sum(removal.count_material(job.study_number, of_import).values()))
    removed = removal.remove_material(job.study_number, of_import, progress.advance)
    Import.objects.filter(pk=job.import_number).update(undone_at=Now())
    return removed


def _delete_study(job: Removal, progress: JobProgress) -> dict[str, int]:
    study = Study.objects.select_for_update().filter(pk=job.study_number).first()
    if study is None:
        raise Refused(GONE)
    lower = deletion.ORDER.index("importing")
    _delete_parts(study, deletion.ORDER[:lower])  # rows of higher apps point at pairs
    everything = Q()
    progress.begin(REMOVING, sum(removal.count_material(study.pk, everything).values()))
    removed = removal.remove_material(study.pk, everything, progress.advance)
    _delete_parts(study, deletion.ORDER[lower:])
    deletion.delete(Study.objects.filter(pk=study.pk))
    return removed


def _delete_parts(study: Study, apps: Sequence[str]) -> None:
    for app in apps:
        if app in deletion.parts:
            deletion.parts[app](study)


def _reason(job: Removal, error: IntegrityError) -> str:
    """Return why the database refused, in a sentence that pages translate."""
    diagnosis = getattr(error.__cause__, "diag", None)
    table = getattr(diagnosis, "table_name", None) or ""
    if table.startswith(OF_PEOPLE) and table not in PLACES:
        return GIVEN
    if table in kept_by:
        return kept_by[table]
    if job.import_number is not None and removal.controls_built_on(job.study_number, job.import_number):
        return CONTROLS
    if job.import_number is not None and (others := removal.imports_built_on(job.study_number, job.import_number)):
        return BUILT_ON % {"numbers": ", ".join(map(str, others))}
    return CHANGED


def record_outcome(job: Removal) -> None:
    """Write into the audit record what was removed, or why nothing was removed."""
    action = "import.undone" if job.what == What.IMPORT else "study.deleted"
    after: dict[str, Any] = {"title": job.study_title} | job.removed
    if job.import_number is not None:
        after["import"] = job.import_number
    if job.state != State.DONE:
        action, after = f"{action}_not", {"state": job.state, "reason": job.reason}
    audit.record(action, job, actor=job.asked_by, study_slug=job.study_slug, after=after)


def remove_files() -> bool:
    """Delete unused files, if a removal left some. Return whether all of them are gone."""
    left = list(Removal.objects.filter(files_left=True).values_list("pk", flat=True))
    if not left:
        return True
    if not unused_files.remove():
        return False
    Removal.objects.filter(pk__in=left).update(files_left=False)
    return True


POLICY = Policy(
    model=Removal,
    name="Removal",
    task="removal.tasks.carry_out_removal",
    final=(Refused,),
    beat_every_s=0.5,
    ended=record_outcome,
)
