"""Changes of many pairs, asked for: overlap, priority, batches made anew. `carrying_out` does them.

Small ones are carried out at once, large ones by a worker, by the same code.
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from catalog import tasks
from catalog.models import Pair, PairsChange, Study
from catalog.running import batching, carrying_out, overlap
from catalog.running.carrying_out import State, What
from catalog.running.overlap import Choice

#: Changes of so many pairs are carried out while the browser waits: half a second or so.
RIGHT_AWAY = 5_000


class ChangedMeanwhile(Exception):
    """Somebody changed overlap or priority after the effect was shown; nothing was done."""


class NotPossible(Exception):
    """What was asked cannot be; `str()` says why."""


def change_pairs(study: Study, what: str, choice: Choice, value: int, *, seen: int, actor: User) -> PairsChange:
    """Changes overlap or priority of the pairs meant, or lets a worker do it; the row says how far it is.

    `seen` is the last change that the person knew. Raises ChangedMeanwhile if one was ordered since, and NotPossible
    while another is being carried out.
    """
    effect = overlap.preview(study, what, choice, value)
    with transaction.atomic():
        try:
            meant = {"choice": choice.as_json(), "pairs": effect.pairs, "before": effect.before}
            change = _order(study, actor, what=what, value=value, **meant)
        except NotPossible:
            _refuse_unless_last(study, seen)
            raise
        _refuse_unless_last(study, seen, but=change)  # nobody else can order one between this and the end
    return _begun(change)


def make_batches(study: Study, *, size: int, prompt_type: str = "", actor: User) -> PairsChange:
    """Puts the pairs that nobody has yet into new batches, or lets a worker do it. Raises NotPossible."""
    free = batching.count_free(study, prompt_type)
    if not free:
        raise NotPossible(_(batching.NOTHING_FREE))
    choice = {"prompt_type": prompt_type}
    return _begun(_order(study, actor, what=What.BATCHES, value=size, choice=choice, pairs=free))


def cancel(change: PairsChange, *, actor: User) -> None:
    """Ends a change that waits at once, and one that runs before its next step. What is changed stays changed.

    Twice is harmless.
    """
    with transaction.atomic():
        there = PairsChange.objects.select_for_update(no_key=True).get(pk=change.pk)
        if there.finished_at or there.cancel_asked_at:
            return
        there.cancel_asked_at = timezone.now()
        there.save(update_fields=["cancel_asked_at"])
        audit.record("pairs.change_cancelled", there, actor=actor, study_slug=change.study.slug)
        if there.state == State.WAITING:
            carrying_out.end(there, State.CANCELLED)


def resume(change: PairsChange, *, actor: User) -> PairsChange:
    """Lets a change that failed go on where it stopped. Raises NotPossible."""
    with transaction.atomic():
        there = PairsChange.objects.select_for_update(no_key=True).get(pk=change.pk)
        if there.state != State.FAILED:
            raise NotPossible(_("Only a change that failed can go on."))
        if PairsChange.objects.filter(study=there.study_id, pk__gt=there.pk).exists():
            raise NotPossible(
                _("Other changes were made since. Look at what this one would do now, and order it anew.")
            )
        there.state, there.reason, there.attempts = State.WAITING, "", 0
        there.finished_at = there.cancel_asked_at = None
        there.save(update_fields=["state", "reason", "attempts", "finished_at", "cancel_asked_at"])
        audit.record("pairs.change_resumed", there, actor=actor, study_slug=change.study.slug)
    return _begun(there)


def last_change(study: Study, *, but: PairsChange | None = None) -> int:
    """Which change of overlap or priority was the last, also if it is still being carried out; 0: none yet."""
    there = PairsChange.objects.filter(study=study, what__in=[What.OVERLAP, What.PRIORITY])
    if but is not None:
        there = there.exclude(pk=but.pk)
    return there.order_by("-pk").values_list("pk", flat=True).first() or 0


def _refuse_unless_last(study: Study, seen: int, *, but: PairsChange | None = None) -> None:
    if last_change(study, but=but) != seen:
        raise ChangedMeanwhile


def _order(study: Study, actor: User, **values: Any) -> PairsChange:
    """A row that waits, for the study's pairs as of now. Raises NotPossible while another change is unfinished."""
    last = Pair.objects.filter(study=study, kind=Pair.Kind.REAL).order_by("-pk").values_list("pk", flat=True).first()
    try:
        with transaction.atomic():
            return PairsChange.objects.create(study=study, asked_by=actor, until=last or 0, **values)
    except IntegrityError as error:
        if "pairs_change_one_unfinished" not in str(error):
            raise
        raise NotPossible(
            _("Another change of this study’s pairs is being carried out. Wait for its end, or cancel it.")
        ) from error


def _begun(change: PairsChange) -> PairsChange:
    """The change as it stands: ended, if it was small, and else left to a worker."""
    if change.pairs > RIGHT_AWAY:
        transaction.on_commit(lambda: tasks.announce_change(change.pk))
    else:
        carrying_out.run(change.pk)
        change.refresh_from_db()
    return change
