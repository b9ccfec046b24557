"""Pause, resume, close and reopen a study.

People can finish the pairs that they have open: their leases stay valid in a paused study and in a closed one.
`annotation/acceptance.py` says what each state accepts. Code whose writes a closed study refuses takes a shared lock
on the study's row. So a change of state comes before or after it.

A worker later sorts the study's videos again. For a million videos that takes seconds, so a pause does not wait for
it.
"""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych.refusals import Refused
from studies import promises
from studies.models import StateChange, Study
from studies.promises import PromisesUnkept
from studies.signals import study_state_changed

RUNNING, PAUSED, CLOSED = Study.State.RUNNING, Study.State.PAUSED, Study.State.CLOSED
#: The steps: the states from which each is allowed, and the new state. Only admins can reopen (`permissions`).
STEPS: dict[str, tuple[tuple[str, ...], str]] = {
    "pause": ((RUNNING,), PAUSED),
    "resume": ((PAUSED,), RUNNING),
    "close": ((RUNNING, PAUSED), CLOSED),
    "reopen": ((CLOSED,), PAUSED),
}
RECORDED_STEP = {
    "pause": StateChange.Step.PAUSED,
    "resume": StateChange.Step.RESUMED,
    "close": StateChange.Step.CLOSED,
    "reopen": StateChange.Step.REOPENED,
}


@transaction.atomic
def change_state(study: Study, step: str, *, actor: User) -> bool:
    """Do one of `STEPS`, and update `study` too. Return False if somebody did it before: repeating it is harmless.

    Raises Refused in any other state, PromisesUnkept if the study cannot be resumed yet, and NotNamed
    if its consent text does not name controls.
    """
    before, after = STEPS[step]
    locked = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    present = study.state = locked.state
    if present == after:
        return False
    if present not in before:
        raise Refused(_("The study is now %(state)s. Nothing was changed.") % {"state": study.get_state_display()})
    if after == RUNNING and locked.archived_at is not None:
        raise Refused(_("The study is archived. Unarchive it before you resume it."))
    if after == RUNNING:
        promises.refuse_unnamed(locked)
    if after == RUNNING and (unkept := promises.unkept(locked)):
        raise PromisesUnkept(
            _(
                "The study was not resumed. It promises these things to annotators, but the settings are not "
                "filled in yet: %(what)s."
            )
            % {"what": promises.in_words(unkept)},
            unkept,
        )
    Study.objects.filter(pk=study.pk).update(state=after)
    study.state = after
    study_state_changed.send(sender=Study, study=study)
    change = {"before": {"state": present}, "after": {"state": after}}
    StateChange.objects.create(study=study, step=RECORDED_STEP[step], changed_by=actor)
    audit.record(f"study.{RECORDED_STEP[step]}", study, actor=actor, study_slug=study.slug, **change)
    return True
