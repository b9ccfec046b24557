"""How an answer stands: the one function that changes whether it is valid and whether it counts."""

from django.db import transaction
from django.db.models import F

from accounts import audit
from accounts.models import User
from annotation.acceptance import SURPLUS
from annotation.models import Standing
from catalog import batches
from catalog.models import Pair

#: The audit action of a change; its `before` and `after` hold those of the fields that changed.
STANDING_CHANGED = "annotation.standing"
FIELDS = ("validity", "reason", "counted", "uncounted_reason")


@transaction.atomic
def change_standing(
    standing: Standing,
    *,
    actor: User | None,
    validity: str | None = None,
    reason: str = "",
    counts: bool | None = None,
    uncounted_reason: str = "",
) -> Standing:
    """Change whether an answer is valid, whether it counts, or both, and bring `standing` up to date.

    1. Where counting may change, lock the pair. Then lock the standing, whatever the caller read before.
    2. Write validity with its reason. None leaves it as it is.
    3. An answer that counts no more gives its slot back to the pair, so that somebody is asked again. One that is to
       count again takes a slot if one is free; otherwise it stays uncounted, as surplus. None leaves it as it is: an
       answer that a rule marks invalid keeps its slot (decision 007).
    4. Where a slot was given back, move an annotated batch back to open.
    5. Write an audit row, unless nothing changed.

    Call it with `counts` once a transaction: a second call would wait for a pair while it holds the batch.

    Args:
        actor: who decided it; None: a rule.
        reason: why it is invalid.
        uncounted_reason: why it counts no more, such as `acceptance.REJECTED`.
    """
    slug = standing.study.slug
    pair = None
    if counts is not None:
        locked = Pair.objects.select_for_update(of=("self",), no_key=True)
        pair = locked.get(assignments=standing.assignment_id)
    standing.refresh_from_db(from_queryset=Standing.objects.select_for_update(of=("self",), no_key=True))
    before = _fields(standing)
    if validity is not None:
        standing.validity, standing.reason = validity, reason
    if pair is not None:
        _count(standing, pair, counts=bool(counts), uncounted_reason=uncounted_reason)
    after = _fields(standing)
    if after == before:
        return standing
    standing.save(update_fields=list(FIELDS))
    if pair is not None and before["counted"] and not standing.counted:
        batches.ask_for_more(Pair.objects.filter(pk=pair.pk), actor=actor)
    audit.record(
        STANDING_CHANGED,
        standing,
        actor=actor,
        study_slug=slug,
        before={name: value for name, value in before.items() if value != after[name]},
        after={name: value for name, value in after.items() if value != before[name]},
    )
    return standing


def _count(standing: Standing, pair: Pair, *, counts: bool, uncounted_reason: str) -> None:
    """Move the slot of a locked pair together with `counted` of a locked standing, which is saved by the caller."""
    if counts == standing.counted:
        return  # one that never counted keeps its reason: being valid again does not make it count
    if not counts:
        Pair.objects.filter(pk=pair.pk).update(open_slots=F("open_slots") + 1)
        standing.counted, standing.uncounted_reason = False, uncounted_reason
    else:
        taken = Pair.objects.filter(pk=pair.pk, open_slots__gt=0).update(open_slots=F("open_slots") - 1)
        standing.counted, standing.uncounted_reason = bool(taken), "" if taken else SURPLUS


def _fields(standing: Standing) -> dict[str, object]:
    return {name: getattr(standing, name) for name in FIELDS}
