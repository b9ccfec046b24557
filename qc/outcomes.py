"""The outcome of the spot check for each answer of a lot's sample: fine, defective, open, not judged yet, or lost."""

from collections import Counter
from enum import StrEnum
from typing import Literal

from diptych.database.fixed import fetch_all
from qc.judging import DECIDING
from qc.models import Lot


class Outcome(StrEnum):
    """What the spot check says about one answer. Open: a defect waits to be confirmed, or something is disputed."""

    FINE = "fine"
    DEFECTIVE = "defective"
    OPEN = "open"
    NOT_JUDGED = "not_judged"
    LOST = "lost"


#: Which revision is judged: that of the deciding sample, or revision 1 of the first n of the whole order.
Revision = Literal["judged", "first"]

_SAMPLE = {"judged": "item.sample_place IS NOT NULL", "first": "item.place <= lot.sample_size"}


def _statement(revision: Revision) -> str:
    rows = ", ".join(f"'{row}'" for row in DECIDING)
    return f"""
SELECT item.id,
       CASE WHEN item.lost <> '' THEN 'lost'
            WHEN review.id IS NULL THEN 'not_judged'
            WHEN verdict.counts THEN 'defective'
            WHEN verdict.open THEN 'open'
            ELSE 'fine' END
  FROM qc_frameitem item JOIN qc_lot lot ON lot.id = item.lot_id
  LEFT JOIN qc_review review
    ON review.item_id = item.id AND review.kind = 'spot' AND review.state = 'submitted'
  LEFT JOIN LATERAL (SELECT bool_or(verdict.counts) AS counts, bool_or(verdict.counts IS NULL) AS open
                       FROM qc_verdict verdict
                      WHERE verdict.review_id = review.id AND verdict.annotation_id = item.{revision}_id
                        AND verdict.withdrawn_at IS NULL AND verdict.row IN ({rows})) verdict ON true
 WHERE item.lot_id = %(lot)s AND {_SAMPLE[revision]}
"""  # noqa: S608 - of constants


STATEMENTS: dict[Revision, str] = {"judged": _statement("judged"), "first": _statement("first")}


def outcomes(lot: Lot, revision: Revision = "judged") -> dict[int, Outcome]:
    """Return the outcome of each answer of the sample, by the key of its frame item. One statement."""
    return {item: Outcome(found) for item, found in fetch_all(STATEMENTS[revision], {"lot": lot.pk})}


def counted(lot: Lot, revision: Revision = "judged") -> Counter[Outcome]:
    """Return how many answers of the sample have each outcome."""
    return Counter(outcomes(lot, revision).values())


def defective_items(lot: Lot, revision: Revision = "judged") -> set[int]:
    """Return the keys of the frame items that are defective: a second person has confirmed the defect."""
    return {item for item, found in outcomes(lot, revision).items() if found is Outcome.DEFECTIVE}


DEFECTS = """
SELECT DISTINCT item.id FROM qc_verdict verdict JOIN qc_frameitem item ON item.id = verdict.item_id
 WHERE item.lot_id = %(lot)s AND verdict.counts AND verdict.withdrawn_at IS NULL
"""


def defects_found(lot: Lot) -> set[int]:
    """Return the items in which review of any kind found a confirmed defect. It is never used for a rate."""
    return {item for (item,) in fetch_all(DEFECTS, {"lot": lot.pk})}
