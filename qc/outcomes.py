"""The outcome of the spot check for each answer of a lot's sample, for those who count it."""

from collections import Counter
from collections.abc import Collection
from enum import StrEnum
from typing import Literal

from django.db.models.expressions import RawSQL

from diptych.database.fixed import fetch_all, fetch_one
from qc import due
from qc.judging import DECIDING
from qc.models import Lot


class Outcome(StrEnum):
    """What the spot check says about one answer.

    Unconfirmed: a defect waits for a second person. Disputed: a verdict that could make it defective waits for the
    adjudicator. Lost: it was withdrawn or quarantined before it was judged.
    """

    FINE = "fine"
    DEFECTIVE = "defective"
    UNCONFIRMED = "unconfirmed"
    DISPUTED = "disputed"
    NOT_JUDGED = "not_judged"
    LOST = "lost"


#: Which revision is judged: that of the deciding sample, or revision 1 of the first n of the whole order.
Revision = Literal["judged", "first"]

_SAMPLE = {"judged": "item.sample_place IS NOT NULL", "first": "item.place <= lot.sample_size"}


def _statement(revision: Revision, chosen: str, tail: str = "") -> str:
    """Return the statement for the outcomes of a sample. An item with the flag `spot_due` is not judged yet."""
    rows = ", ".join(f"'{row}'" for row in DECIDING)
    return f"""
SELECT {chosen}
  FROM (
    SELECT item.id, item.batch_id,
       CASE WHEN verdict.counts THEN 'defective'
            WHEN item.lost <> '' AND (review.id IS NULL OR verdict.disputed OR verdict.unconfirmed) THEN 'lost'
            WHEN review.id IS NULL THEN 'not_judged'
            WHEN verdict.disputed THEN 'disputed'
            WHEN verdict.unconfirmed THEN 'unconfirmed'
            ELSE 'fine' END AS outcome
      FROM qc_frameitem item JOIN qc_lot lot ON lot.id = item.lot_id
      LEFT JOIN qc_review review ON review.lot_id = item.lot_id AND review.item_id = item.id
       AND review.kind = 'spot' AND review.state = 'submitted'
      LEFT JOIN LATERAL (SELECT bool_or(verdict.counts) AS counts,
                                bool_or(verdict.waits_for = 'adjudicate') AS disputed,
                                bool_or(verdict.waits_for = 'confirm') AS unconfirmed
                           FROM qc_verdict verdict
                          WHERE verdict.review_id = review.id AND verdict.annotation_id = item.{revision}_id
                            AND verdict.withdrawn_at IS NULL AND verdict.row IN ({rows})) verdict ON true
     WHERE item.lot_id = %(lot)s AND {_SAMPLE[revision]} {tail}
  ) judged
"""  # noqa: S608 - of constants


STATEMENTS: dict[Revision, str] = {
    "judged": _statement("judged", "id, outcome"),
    "first": _statement("first", "id, outcome"),
}
OF_ITEMS = _statement("judged", "id, outcome", "AND item.id = ANY(%(items)s::bigint[])")
BY_BATCH: dict[Revision, str] = {
    revision: f"{_statement(revision, 'batch_id, outcome, count(*)')} GROUP BY batch_id, outcome"
    for revision in ("judged", "first")
}
WITH_OUTCOME: dict[Revision, str] = {
    revision: f"{statement.replace('id, outcome', 'id', 1)} WHERE outcome = ANY(%(wanted)s::text[])"
    for revision, statement in STATEMENTS.items()
}


def outcomes(lot: Lot, revision: Revision = "judged") -> dict[int, Outcome]:
    """Return the outcome of each answer of the sample, by the key of its frame item. One statement."""
    return {item: Outcome(found) for item, found in fetch_all(STATEMENTS[revision], {"lot": lot.pk})}


def outcomes_of(lot: Lot, items: Collection[int]) -> dict[int, Outcome]:
    """Return the outcomes of those of these items that are in the deciding sample."""
    return {item: Outcome(found) for item, found in fetch_all(OF_ITEMS, {"lot": lot.pk, "items": list(items)})}


def by_batch(lot: Lot, revision: Revision = "judged") -> dict[int, Counter[Outcome]]:
    """Return how many answers of the sample have each outcome, by the key of their batch."""
    found: dict[int, Counter[Outcome]] = {}
    for batch, outcome, number in fetch_all(BY_BATCH[revision], {"lot": lot.pk}):
        found.setdefault(batch, Counter())[Outcome(outcome)] = number
    return found


def with_outcome(lot: Lot, wanted: Collection[Outcome], revision: Revision = "judged") -> RawSQL:
    """Return a subquery for the items of the sample with one of these outcomes."""
    statement = WITH_OUTCOME[revision].replace("%(lot)s", "%s").replace("%(wanted)s", "%s")
    return RawSQL(statement, [lot.pk, [str(one) for one in wanted]])  # noqa: S611 - of constants


def counted(lot: Lot, revision: Revision = "judged") -> Counter[Outcome]:
    """Return how many answers of the sample have each outcome."""
    return sum(by_batch(lot, revision).values(), Counter())


def defective_items(lot: Lot, revision: Revision = "judged") -> set[int]:
    """Return the keys of the frame items that are defective: a second person has confirmed the defect."""
    values = {"lot": lot.pk, "wanted": [str(Outcome.DEFECTIVE)]}
    return {item for (item,) in fetch_all(WITH_OUTCOME[revision], values)}


DEFECTS = """
SELECT DISTINCT item.id FROM qc_verdict verdict JOIN qc_frameitem item ON item.id = verdict.item_id
 WHERE item.lot_id = %(lot)s AND verdict.counts AND verdict.withdrawn_at IS NULL
"""


def defects_found(lot: Lot) -> set[int]:
    """Return the items in which review of any kind found a confirmed defect. It is never used for a rate."""
    return {item for (item,) in fetch_all(DEFECTS, {"lot": lot.pk})}


SECONDARY_LEFT = f"""
SELECT count(*)
  FROM qc_frameitem item JOIN qc_lot lot ON lot.id = item.lot_id
  JOIN annotation_assignment assignment ON assignment.id = item.assignment_id
  JOIN annotation_standing standing ON standing.assignment_id = assignment.id
 WHERE item.lot_id = %(lot)s AND item.lost = ''
   AND ({due.WANTED["secondary"]}
        OR EXISTS (SELECT FROM qc_verdict verdict WHERE verdict.item_id = item.id AND verdict.waits_for <> ''
                      AND verdict.withdrawn_at IS NULL))
"""  # noqa: S608 - of constants


def secondary_left(lot: Lot) -> int:
    """Return how many answers the secondary review has not finished: not reviewed yet, or with an unsettled verdict."""
    row = fetch_one(SECONDARY_LEFT, {"lot": lot.pk})
    return int(row[0]) if row else 0
