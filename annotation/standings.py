"""How an answer stands. One function changes whether an answer is valid and whether it counts."""

from django.db import transaction

from accounts import audit
from accounts.models import User
from annotation.acceptance import SURPLUS
from annotation.models import Standing
from catalog import batches, slots
from catalog.models import Pair

#: The audit action of a change. Its `before` and `after` contain the fields that changed.
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
    """Change whether an answer is valid, whether it counts, or both, and update `standing`.

    1. If counting may change, lock the pair. Then lock and re-read the standing.
    2. Write validity with its reason. None leaves it unchanged.
    3. An answer that no longer counts returns its slot to the pair, so that someone else is asked for a replacement.
       An answer that should count again takes a slot if one is free; otherwise it stays surplus. None leaves counting
       unchanged: an answer that a rule marks invalid keeps its slot (decision 007).
    4. If a slot was returned, move an annotated batch back to open.
    5. Write an audit row, unless nothing changed.

    With `counts`, call it once per transaction: a second call would wait for a pair while the batch is locked.

    Args:
        actor: the person who decided it, or None for a rule.
        reason: why the answer is invalid.
        uncounted_reason: why it no longer counts, such as `acceptance.REJECTED`.
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
    standing.opinions_due = standing.opinions_due or standing.study.more_answers > 0
    standing.save(update_fields=[*FIELDS, "opinions_due"])
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
    """Change `counted` of a locked standing and the slot of its locked pair. The caller saves the standing."""
    if counts == standing.counted:
        return  # an answer that never counted keeps its reason, and does not count when it becomes valid again
    if not counts:
        pair.open_slots += 1
        pair.replacement_open += 1
        standing.counted, standing.uncounted_reason = False, uncounted_reason
    elif pair.open_slots:
        slots.take(pair, again=True)  # the answer keeps the reason for which it was asked
        standing.counted, standing.uncounted_reason = True, ""
    else:
        standing.counted, standing.uncounted_reason = False, SURPLUS
    pair.save(update_fields=slots.FIELDS)


def _fields(standing: Standing) -> dict[str, object]:
    return {name: getattr(standing, name) for name in FIELDS}
