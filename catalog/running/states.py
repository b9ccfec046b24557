"""Pausing, resuming, closing a study, and opening it again.

What people have open they finish: a lease stays theirs in a paused study and in a closed one, and nothing follows it.
`annotation/acceptance.py` says what each state accepts. Whoever writes what a closed study refuses locks the study's
row, shared, so that the change of state below comes before it or after it. A worker puts the study's videos into
another order afterwards: of a million that takes seconds, and a pause takes none.
"""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from catalog import promises, tasks
from catalog.models import Study
from catalog.promises import Promise

RUNNING, PAUSED, CLOSED = Study.State.RUNNING, Study.State.PAUSED, Study.State.CLOSED
#: What can be done, from which states, and what the study is then. Reopening is the admin's (`permissions`).
STEPS: dict[str, tuple[tuple[str, ...], str]] = {
    "pause": ((RUNNING,), PAUSED),
    "resume": ((PAUSED,), RUNNING),
    "close": ((RUNNING, PAUSED), CLOSED),
    "reopen": ((CLOSED,), PAUSED),
}
DONE = {"pause": "study.paused", "resume": "study.resumed", "close": "study.closed", "reopen": "study.reopened"}


class NotPossible(Exception):
    """The study is in another state; `str()` says in which."""


class PromisesUnkept(NotPossible):
    """The study does not keep all that it promises to the people who agree to its terms; `promises` are those."""

    def __init__(self, unkept: list[Promise]) -> None:
        about = {"what": promises.in_words(unkept)}
        super().__init__(
            _("The study was not resumed. It promises to annotators what its settings do not name yet: %(what)s.")
            % about
        )
        self.promises = unkept


@transaction.atomic
def change_state(study: Study, step: str, *, actor: User) -> bool:
    """Does one of `STEPS`; `study` is brought up to date. False if somebody did it before: twice is harmless.

    Raises NotPossible from any other state, and PromisesUnkept if the study cannot run yet.
    """
    before, after = STEPS[step]
    locked = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    present = study.state = locked.state
    if present == after:
        return False
    if present not in before:
        raise NotPossible(
            _("The study is %(state)s by now; nothing was changed.") % {"state": study.get_state_display()}
        )
    if after == RUNNING and (unkept := promises.unkept(locked)):
        raise PromisesUnkept(unkept)
    Study.objects.filter(pk=study.pk).update(state=after)
    study.state = after
    transaction.on_commit(lambda: tasks.announce_media_order(study.pk))
    change = {"before": {"state": present}, "after": {"state": after}}
    audit.record(DONE[step], study, actor=actor, study_slug=study.slug, **change)
    return True
