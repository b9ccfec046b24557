"""Second blind answers: which pairs a second reviewer answers too.

All pairs with a confirmed defect and a random tenth of the others are drawn, of those that a first reviewer answered
blind. The second answer is no verdict and is not counted in any rate: it only says how far two honest reviewers agree.

`qc/reviewer_agreement.py` shows how far they do.
"""

from collections.abc import Iterable, Sequence

from diptych.database.fixed import change
from qc.due import drawn
from qc.models import Review, ReviewAnswer, SecondBlind, Verdict

#: The share of the pairs without a defect. It is a tenth in every lot, so that the weights are the same everywhere.
SHARE = 0.1

_DRAW = f"""
INSERT INTO qc_secondblind (study_id, lot_id, pair_id, item_id, first_id, defect)
SELECT answer.study_id, answer.lot_id, answer.pair_id, %(item)s, answer.id, false
  FROM qc_reviewanswer answer JOIN qc_lot lot ON lot.id = answer.lot_id
 WHERE answer.lot_id = %(lot)s AND answer.pair_id = %(pair)s AND answer.reviewer_id = %(person)s
   AND {drawn("second blind", "answer.pair_id", str(SHARE))}
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - of constants
#: The first reviewer is the one whose blind answer came first, of those who reviewed an answer to the pair.
_DRAW_DEFECT = """
INSERT INTO qc_secondblind AS drawn (study_id, lot_id, pair_id, item_id, first_id, defect)
SELECT answer.study_id, answer.lot_id, answer.pair_id, review.item_id, answer.id, true
  FROM qc_reviewanswer answer
  JOIN qc_review review ON review.item_id = %(item)s AND review.reviewer_id = answer.reviewer_id
                           AND review.kind IN ('secondary', 'spot') AND review.state = 'submitted'
 WHERE answer.lot_id = %(lot)s AND answer.pair_id = %(pair)s
 ORDER BY answer.submitted_at, answer.id LIMIT 1
    ON CONFLICT (lot_id, pair_id) DO UPDATE SET defect = true
"""


def draw(reviews: Sequence[Review]) -> None:
    """Draw the pair of a submitted sitting for a second blind answer, or not. A sitting that was not blind never is.

    Call it in the transaction that submits the verdicts. A pair is drawn once in a lot, however often it is reviewed.
    """
    first = reviews[0]
    values = {"item": first.item_id, "lot": first.lot_id, "pair": first.pair_id, "person": first.reviewer_id}
    change(_DRAW, values)


def draw_defects(verdicts: Iterable[Verdict]) -> None:
    """Draw the pairs of confirmed defects. Call it in the transaction that confirms them, with the lot locked."""
    for pair, item, lot in sorted({(one.item.assignment.pair_id, one.item_id, one.item.lot_id) for one in verdicts}):
        change(_DRAW_DEFECT, {"item": item, "lot": lot, "pair": pair})


def finish(reviews: Sequence[Review], own: ReviewAnswer) -> None:
    """Store the second reviewer's answer with the drawn pair. The sitting and its lease are locked."""
    SecondBlind.objects.filter(item__in=[one.item_id for one in reviews], second=None).update(second=own)
