"""Archive a study: lists no longer show it. Nothing is deleted, and it can be unarchived."""

from django.db import transaction
from django.db.models.functions import Now

from accounts import audit
from accounts.models import User
from studies.models import StateChange, Study
from studies.signals import study_state_changed
from studies.state_changes import PAUSED, RUNNING


@transaction.atomic
def archive(study: Study, *, actor: User | None) -> bool:
    """Hide a study from lists, and pause it if it runs. Return False if it is already archived."""
    locked = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if locked.archived_at is not None:
        return False
    before = locked.state
    after = PAUSED if before == RUNNING else before
    Study.objects.filter(pk=study.pk).update(archived_at=Now(), state=after)
    study.refresh_from_db()
    if after != before:
        study_state_changed.send(sender=Study, study=study)
        _record(study, StateChange.Step.PAUSED, actor)
    _record(study, StateChange.Step.ARCHIVED, actor)
    change = {"before": {"state": before, "archived": False}, "after": {"state": after, "archived": True}}
    audit.record("study.archived", study, actor=actor, study_slug=study.slug, **change)
    return True


@transaction.atomic
def bring_back(study: Study, *, actor: User | None) -> bool:
    """Unarchive a study. It stays paused or closed. Return False if it is not archived."""
    if not Study.objects.filter(pk=study.pk, archived_at__isnull=False).update(archived_at=None):
        return False
    study.refresh_from_db()
    _record(study, StateChange.Step.BROUGHT_BACK, actor)
    change = {"before": {"archived": True}, "after": {"archived": False}}
    audit.record("study.brought_back", study, actor=actor, study_slug=study.slug, **change)
    return True


def _record(study: Study, step: StateChange.Step, actor: User | None) -> None:
    StateChange.objects.create(study=study, step=step, changed_by=actor)
