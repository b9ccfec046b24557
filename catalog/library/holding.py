"""Hold pairs so that they are not served, and release them.

People who have such a pair open can finish it, and their answers count. Nobody can end a hold of the platform here:
one for a video that could not be prepared, or for a video in quarantine.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from catalog import batches, readiness
from catalog.models import HoldChange, Pair
from catalog.models.pairs import QUARANTINED
from diptych.refusals import Refused
from studies.models import Study

OWN_REASONS = (QUARANTINED, readiness.MEDIA_FAILED)
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many of the named pairs changed, and how many did not."""

    changed: int
    unchanged: int


FREE = Q(held="")
CAN_BE_RELEASED = ~Q(held__in=["", *OWN_REASONS])


def hold(study: Study, pairs: Collection[str], *, reason: str, by: User) -> Outcome:
    """Hold those of the pairs, by public id, that are not held yet. Raises Refused."""
    _refuse_nothing(pairs)
    return _change_named(study, pairs, reason=checked_reason(reason), by=by)


def checked_reason(reason: str) -> str:
    """Return the reason for a hold as it is stored. Raises Refused if it is empty, too long or reserved."""
    reason = " ".join(reason.split())
    if not reason:
        raise Refused(_("Give a reason. People who find these pairs held will read it."))
    if len(reason) > LONGEST_REASON:
        raise Refused(_("The reason has more than %(most)s characters.") % {"most": LONGEST_REASON})
    if reason in OWN_REASONS or "\0" in reason:
        raise Refused(_("This reason cannot be used. Word it differently."))
    return reason


def release(study: Study, pairs: Collection[str], *, by: User) -> Outcome:
    """Release those of the pairs whose hold is not the platform's own. Raises Refused."""
    _refuse_nothing(pairs)
    return _change_named(study, pairs, reason="", by=by)


def _refuse_nothing(pairs: Collection[str]) -> None:
    if not pairs:
        raise Refused(_("Select at least one pair."))


@transaction.atomic
def _change_named(study: Study, pairs: Collection[str], *, reason: str, by: User) -> Outcome:
    named = set(pairs)
    changed = change(study, Pair.objects.filter(study=study, public_id__in=named), reason=reason, by=by)
    for pair in changed:
        before, after = {"held": pair.held}, {"held": reason}
        action = "pair.held" if reason else "pair.released"
        audit.record(action, pair, actor=by, study_slug=study.slug, before=before, after=after)
    return Outcome(len(changed), len(named) - len(changed))


def change(study: Study, pairs: QuerySet[Pair], *, reason: str, by: User) -> list[Pair]:
    """Hold those of these pairs that are not held. With an empty reason, release those that people have held.

    Call it in a transaction. The pairs are locked in the order of their keys, as all code locks pairs. Of two
    concurrent calls the second finds nothing to do. Return the pairs that changed, as they were before.
    """
    locked = pairs.filter(FREE if reason else CAN_BE_RELEASED).order_by("pk")
    changed = list(locked.select_for_update(no_key=True, of=("self",)))
    rows = Pair.objects.filter(pk__in=[pair.pk for pair in changed])
    rows.update(held=reason)
    HoldChange.objects.bulk_create(
        HoldChange(study=study, pair=pair, before=pair.held, after=reason, changed_by=by) for pair in changed
    )
    if not reason:  # while they were held, a video may have failed or become ready
        readiness.settle(rows)
        batches.ask_for_more(rows, actor=by)
    return changed
