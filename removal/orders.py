"""Order removals: undo an import, delete a study, or cancel either. `work` does them."""

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import audit
from accounts.models import User
from catalog import removal
from catalog.models import PairsChange
from diptych.refusals import Refused
from importing.models import Import
from jobs import engine, ordered
from removal.models import Removal
from removal.work import POLICY, What, run
from studies.models import Study

#: The most rows that are removed while the browser waits, which takes about a second.
RIGHT_AWAY = 5_000
BUSY = gettext_noop("Another removal in this study is in progress. Wait until it ends, or cancel it.")


def undo_import(job: Import, *, actor: User | None) -> Removal:
    """Remove what an import added, now or with a worker. Return the job. Raises Refused."""
    refuse_if_not_undoable(job)
    steps = sum(removal.count_material(job.study_id, Q(import_number=job.pk)).values())
    return _order(job.study, What.IMPORT, steps, actor=actor, import_number=job.pk)


def refuse_if_not_undoable(job: Import) -> None:
    """Raise Refused for an import that added nothing, or that was undone before."""
    if job.undone_at is not None:
        raise Refused(_("This import has already been undone."))
    if not is_undoable(job):
        raise Refused(_("This import added nothing, so there is nothing to undo."))


def is_undoable(job: Import) -> bool:
    """Return whether the import added something that was not removed yet."""
    return job.state == Import.State.DONE and not job.options.get("dry_run") and job.undone_at is None


def delete_study(study: Study, *, actor: User | None) -> Removal:
    """Delete a study, now or with a worker. Return the job. Raises Refused."""
    if Import.objects.filter(study=study, finished_at=None).exists():
        raise Refused(_("An import into this study has not ended. Wait until it ends, or cancel it."))
    if PairsChange.objects.filter(study=study, finished_at=None).exists():
        raise Refused(_("A change of this study’s pairs has not ended. Wait until it ends, or cancel it."))
    steps = sum(removal.count_material(study.pk, Q()).values())
    return _order(study, What.STUDY, steps, actor=actor)


def _order(study: Study, what: str, steps: int, *, actor: User | None, import_number: int | None = None) -> Removal:
    with transaction.atomic(), ordered.one_at_a_time(POLICY, _(BUSY)):
        job = Removal.objects.create(
            what=what,
            study_number=study.pk,
            study_slug=study.slug,
            study_title=study.title,
            import_number=import_number,
            steps_total=steps,
            asked_by=actor,
        )
    return ordered.begin(POLICY, job, run, right_away=RIGHT_AWAY)


def cancel(job: Removal, *, actor: User | None) -> None:
    """Cancel a removal: immediately if it waits, at its next step if it runs. Then nothing is removed.

    It can be repeated.
    """
    with transaction.atomic():
        if engine.cancel(POLICY, job.pk):
            audit.record("removal.cancelled", job, actor=actor, study_slug=job.study_slug)
