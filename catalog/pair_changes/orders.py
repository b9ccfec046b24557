"""Start, cancel and resume changes of many pairs: overlap, priority, holds, regrouping. `work` carries them out."""

from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import audit
from accounts.models import User
from catalog import batching
from catalog.library import holding
from catalog.models import Pair, PairsChange
from catalog.pair_changes import effects, work
from catalog.pair_changes.work import POLICY, State, What
from diptych.refusals import ChangedMeanwhile, Refused
from jobs import engine, ordered
from studies.models import Study

#: A change of at most this many pairs is carried out within the request, in about half a second.
RIGHT_AWAY = 5_000
#: Values before a change that the audit record keeps. They are sums, since each pair may have had its own value.
KEPT_BEFORE = ("pairs", "wanted", "lowest", "highest")
BUSY = gettext_noop("Another change of this study’s pairs is in progress. Wait until it ends, or cancel it.")


def change_pairs(study: Study, what: str, value: int, choice: dict[str, Any], *, seen: int, actor: User) -> PairsChange:
    """Change overlap or priority of the selected pairs, or have a worker do it. Return the job.

    `seen` is the id of the last change that the person knew. Raises ChangedMeanwhile if another one was started since,
    and Refused while another one is in progress.
    """
    effect = effects.preview(study, what, value, choice)
    before = {name: effect[name] for name in KEPT_BEFORE if name in effect}
    with transaction.atomic():
        try:
            change = _order(study, actor, effect["pairs"], what=what, value=value, choice=choice, before=before)
        except Refused:
            _refuse_unless_last(study, seen)
            raise
        _refuse_unless_last(study, seen, but=change.pk)  # nobody else can start one until this transaction ends
    return ordered.begin(POLICY, change, work.run, right_away=RIGHT_AWAY)


def make_batches(study: Study, *, size: int, prompt_type: str = "", actor: User) -> PairsChange:
    """Regroup the pairs that no one has answered or leased, or have a worker do it. Return the job. Raises Refused."""
    free = batching.count_free(study, prompt_type)
    if not free:
        raise Refused(_(batching.NOTHING_FREE))
    change = _order(study, actor, free, what=What.BATCHES, value=size, choice={"prompt_type": prompt_type})
    return ordered.begin(POLICY, change, work.run, right_away=RIGHT_AWAY)


def hold_listed(study: Study, filters: dict[str, Any], *, reason: str, actor: User) -> PairsChange:
    """Hold all pairs that the library lists with these filters, or have a worker do it. Return the job. Raises Refused.

    Pairs that are already held are not changed.
    """
    return _change_listed(study, filters, actor, what=What.HOLD, why=holding.checked_reason(reason))


def release_listed(study: Study, filters: dict[str, Any], *, actor: User) -> PairsChange:
    """Release all pairs that the library lists with these filters, or have a worker do it. Return the job.

    The platform's own holds are not ended. Raises Refused.
    """
    return _change_listed(study, filters, actor, what=What.RELEASE)


def _change_listed(study: Study, filters: dict[str, Any], actor: User, **values: Any) -> PairsChange:
    pairs = effects.preview_hold(study, filters)["pairs"]
    if not pairs:
        raise Refused(_("This list has no pairs."))
    change = _order(study, actor, pairs, choice=filters, **values)
    return ordered.begin(POLICY, change, work.run, right_away=RIGHT_AWAY)


def _order(study: Study, actor: User, pairs: int, **values: Any) -> PairsChange:
    """Create and return a job for the study's present pairs. Raises Refused while another one is unfinished."""
    last = Pair.objects.filter(study=study).aggregate(pk=Max("pk", default=0))["pk"]
    with ordered.one_at_a_time(POLICY, _(BUSY)):
        return PairsChange.objects.create(study=study, asked_by=actor, steps_total=pairs, until=last, **values)


def last_change(study: Study, *, but: int = 0) -> int:
    """Return the id of the last change of overlap or priority, also one in progress; 0 if there is none."""
    there = PairsChange.objects.filter(study=study, what__in=[What.OVERLAP, What.PRIORITY]).exclude(pk=but)
    found: int = there.aggregate(pk=Max("pk", default=0))["pk"]
    return found


def _refuse_unless_last(study: Study, seen: int, *, but: int = 0) -> None:
    if last_change(study, but=but) != seen:
        raise ChangedMeanwhile(
            _(
                "Someone else changed overlap or priority in the meantime. Nothing was changed. "
                "The preview is up to date now."
            )
        )


def cancel(change: PairsChange, *, actor: User) -> None:
    """Cancel a change: one that waits immediately, one that runs before its next step. Changed pairs stay changed.

    Repeating this is harmless.
    """
    with transaction.atomic():
        if engine.cancel(POLICY, change.pk):
            audit.record("pairs.change_cancelled", change, actor=actor, study_slug=change.study.slug)


def resume(change: PairsChange, *, actor: User) -> PairsChange:
    """Continue a failed change where it stopped. Raises Refused if that is not possible."""
    with transaction.atomic():
        there = PairsChange.objects.select_for_update(no_key=True).get(pk=change.pk)
        if there.state != State.FAILED:
            raise Refused(_("Only a failed change can be continued."))
        if not is_last(there):
            raise Refused(_("Other changes have been made since. Preview this change again, then submit it again."))
        with ordered.one_at_a_time(POLICY, _(BUSY)):
            engine.resume(PairsChange.objects.filter(pk=there.pk))
        audit.record("pairs.change_resumed", there, actor=actor, study_slug=change.study.slug)
    return ordered.begin(POLICY, there, work.run, right_away=RIGHT_AWAY)


def is_last(change: PairsChange) -> bool:
    """Return whether this is the study's latest change of pairs."""
    return not PairsChange.objects.filter(study=change.study_id, pk__gt=change.pk).exists()
