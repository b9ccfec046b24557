"""The frame of a lot: the answers that are frozen when its review starts, in a secret random order.

`freeze` writes the frame when the review starts. `draw` draws the deciding sample when the secondary review has ended.
Both are called with the lot's row locked. What was frozen and drawn never changes; only answers get lost.
"""

from collections import Counter
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from catalog.models.pairs import QUARANTINED
from diptych.database.fixed import change, fetch_all
from diptych.refusals import Refused
from qc import due, plans
from qc.models import FrameItem, Lot

#: Answers that belong into the frame of a lot with these batches: they count, are valid, and are no controls. Held
#: pairs are left out: they belong to a later lot, after their release. Answers that an earlier lot released are left
#: out too. A pair can move to another batch when its lot is accepted, if it needs another answer.
FROM_ANSWERS = """
  FROM catalog_pair pair
  JOIN annotation_assignment assignment ON assignment.pair_id = pair.id
  JOIN annotation_standing standing ON standing.assignment_id = assignment.id
 WHERE pair.batch_id = ANY(%(batches)s) AND pair.kind = 'real' AND pair.held = ''
   AND standing.counted AND standing.validity = 'valid'
   AND NOT EXISTS (
       SELECT FROM qc_frameitem item JOIN qc_lot lot ON lot.id = item.lot_id
        WHERE item.assignment_id = assignment.id AND lot.state = 'accepted' AND item.judged_id IS NOT NULL OFFSET 0)
"""
COUNT = f"SELECT pair.batch_id, count(*) {FROM_ANSWERS} GROUP BY pair.batch_id"
#: The order is by the hash of the seed and the assignment. Whoever has the seed can compute it again. With each answer
#: comes whether it is drawn for the secondary review.
FREEZE = f"""
INSERT INTO qc_frameitem (study_id, lot_id, place, batch_id, assignment_id, first_id, current_id, secondary_due)
SELECT %(study)s, %(lot)s,
       row_number() OVER (ORDER BY sha256(convert_to(%(seed)s || ':' || assignment.id, 'UTF8')), assignment.id),
       pair.batch_id, assignment.id,
       (SELECT first.id FROM annotation_annotation first
         WHERE first.assignment_id = assignment.id AND first.revision = 1),
       standing.current_id,
       {due.drawn("secondary", "assignment.pair_id", "%(share)s::numeric", "%(seed)s")}
       {FROM_ANSWERS}
"""  # noqa: S608 - of constants
#: The answers that still count, in the lot's order, with their present revisions.
REMAINING = """
SELECT item.id, standing.current_id, item.batch_id
  FROM qc_frameitem item JOIN annotation_standing standing ON standing.assignment_id = item.assignment_id
 WHERE item.lot_id = %(lot)s AND item.lost = '' AND standing.counted AND standing.validity = 'valid'
 ORDER BY item.place
"""
DRAW = """
UPDATE qc_frameitem item
   SET judged_id = drawn.judged, sample_place = CASE WHEN drawn.place <= %(sample)s THEN drawn.place END,
       spot_due = item.spot_due AND (drawn.place <= %(sample)s OR item.place <= %(sample)s)
  FROM unnest(%(items)s::bigint[], %(revisions)s::bigint[]) WITH ORDINALITY AS drawn (item, judged, place)
 WHERE item.id = drawn.item AND item.judged_id IS NULL
"""
#: How many of these answers each batch has. Pages read it, and need not count the frame again.
SIZES = """
UPDATE qc_lotbatch of SET size = coalesce(counted.size, 0)
  FROM qc_lotbatch mine LEFT JOIN unnest(%(batches)s::bigint[], %(sizes)s::int[]) AS counted (batch, size)
    ON counted.batch = mine.batch_id
 WHERE mine.lot_id = %(lot)s AND of.id = mine.id
"""


def count(batches: Collection[int]) -> dict[int, int]:
    """Return by batch how many answers would be frozen now. Batches without any are left out."""
    return dict(fetch_all(COUNT, {"batches": list(batches)}))


def freeze(lot: Lot, batches: Collection[int], seed: str, secondary_share: Decimal) -> int:
    """Write the frame of a locked lot, whose batches are in review in this transaction. Return its size.

    Its answers have no rank in the look-here queue yet: `suspicion.rate` and `looking.rank` write it.
    """
    values = {"study": lot.study_id, "lot": lot.pk, "batches": list(batches), "seed": seed, "share": secondary_share}
    return change(FREEZE, values)


def draw(lot: Lot, *, actor: User | None) -> None:
    """Draw the deciding sample of a locked lot from the answers that still count. Raise Refused if there are none.

    1. Read the answers that still count, with their present revisions, in one statement. A rejection at the same moment
       comes before it or after it.
    2. Compute n and c for their number.
    3. Write which of them are in the sample, and the numbers of the plan. The sample is drawn once.
    """
    remaining = fetch_all(REMAINING, {"lot": lot.pk})
    if not remaining:
        raise Refused(
            _("No answer of this lot counts any more, so there is nothing to spot-check. Return the lot."),
            "nothing_left",
        )
    plan = plans.plan_of(len(remaining), plans.terms_of(lot))
    items, revisions, batches = (list(column) for column in zip(*remaining, strict=True))
    change(DRAW, {"sample": plan.sample, "items": items, "revisions": revisions})
    sizes = Counter(batches)
    change(SIZES, {"lot": lot.pk, "batches": list(sizes), "sizes": list(sizes.values())})
    Lot.objects.filter(pk=lot.pk, drawn_at__isnull=True).update(
        drawn_at=Now(), size=plan.size, sample_size=plan.sample, acceptance_number=plan.accept
    )
    lot.refresh_from_db()
    numbers = {"number": lot.number, "size": plan.size, "sample_size": plan.sample, "acceptance_number": plan.accept}
    audit.record("lot.sample_drawn", lot, actor=actor, study_slug=lot.study.slug, after=numbers)


# --- The samples --------------------------------------------------------------------------------------------


def in_deciding_sample(lot: Lot) -> Q:
    """Return the condition for the items of the deciding sample."""
    return Q(lot=lot, sample_place__isnull=False)


def in_first_sample(lot: Lot) -> Q:
    """Return the condition for the first n items of the whole order, which are also judged in revision 1."""
    return Q(lot=lot, place__lte=lot.sample_size or 0)


# --- Losses -------------------------------------------------------------------------------------------------

UNDECIDED = Q(lot__state=Lot.State.IN_REVIEW)


def mark_withdrawn(assignments: Collection[int]) -> int:
    """Mark frozen answers as withdrawn, in lots that are not decided yet. Return how many.

    Call it in the transaction that withdraws them for a reason other than their review, such as a suspended person.
    """
    items = FrameItem.objects.filter(UNDECIDED, assignment__in=list(assignments), lost="")
    return items.update(lost=FrameItem.Lost.WITHDRAWN)


def bring_back_withdrawn(assignments: Collection[int]) -> int:
    """Let frozen answers that were withdrawn be judged again, in lots that are not decided yet. Return how many."""
    items = FrameItem.objects.filter(UNDECIDED, assignment__in=list(assignments), lost=FrameItem.Lost.WITHDRAWN)
    return items.update(lost="")


def lose_quarantined(*, pairs: Collection[int], **_arguments: Any) -> None:
    """Receive `assets_quarantined`: mark the frozen answers on these pairs as lost, in lots not decided yet."""
    items = FrameItem.objects.filter(UNDECIDED, assignment__pair__in=list(pairs), lost="")
    items.update(lost=FrameItem.Lost.QUARANTINED)


def find_released(*, pairs: Collection[int], **_arguments: Any) -> None:
    """Receive `pairs_released`: the frozen answers on these pairs can be judged again, in lots not decided yet."""
    items = FrameItem.objects.filter(UNDECIDED, assignment__pair__in=list(pairs), lost=FrameItem.Lost.QUARANTINED)
    items.exclude(assignment__pair__held=QUARANTINED).update(lost="")


def still_counting(lot: Lot) -> Q:
    """Return the condition for the items of the lot whose answers still count and are valid."""
    return Q(lot=lot, lost="", assignment__standing__counted=True, assignment__standing__validity="valid")
