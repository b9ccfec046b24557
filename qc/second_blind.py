"""Second blind answers: which pairs a second reviewer answers too, and how far reviewers agree.

All pairs with a confirmed defect and a random tenth of the others are drawn, of those that a first reviewer answered
blind. The second answer is no verdict and enters no rate: it only says how far two honest reviewers agree.

A pair of the tenth stands for ten, and a pair with a defect for itself. Without these weights, reviewers would seem to
agree less than they do, because defects are found where it is hard to agree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from django.db.models import Count, Q, QuerySet

from diptych.database.fixed import change, fetch_all
from qc.due import DRAWN
from qc.models import Review, ReviewAnswer, SecondBlind, Verdict
from qc.models.reviews import PREFERENCES, TAGS
from qc.statistics.bootstrap import Numbers, interval
from qc.statistics.figures import Figure
from qc.statistics.measures import PERCENT
from studies.models import Study

#: The share of the pairs without a defect. It is a tenth in every lot, so that the weights are the same everywhere.
SHARE = 0.1
#: With fewer pairs no agreement is shown.
FEWEST = 100

_DRAW = f"""
INSERT INTO qc_secondblind (study_id, lot_id, pair_id, item_id, first_id, defect)
SELECT answer.study_id, answer.lot_id, answer.pair_id, %(item)s, answer.id, false
  FROM qc_reviewanswer answer JOIN qc_lot lot ON lot.id = answer.lot_id
 WHERE answer.lot_id = %(lot)s AND answer.pair_id = %(pair)s AND answer.reviewer_id = %(person)s
   AND {DRAWN.format(purpose="second blind", pair="answer.pair_id", share=SHARE)}
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


# --- Agreement ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RowAgreement:
    """How often two reviewers give the same answer on one row. `row` is a question, `safe`, or `tags`."""

    row: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class ReviewerAgreement:
    """How far reviewers agree in a study. `rows` is empty while fewer than `FEWEST` pairs are done.

    done, waiting: pairs that have a second blind answer, and pairs that still wait for one. defects: how many of the
    done ones have a confirmed defect.
    """

    done: int
    waiting: int
    defects: int
    rows: tuple[RowAgreement, ...] = ()

    @property
    def is_enough(self) -> bool:
        return self.done >= FEWEST


#: What is compared: the preferences, whether each video is safe, and the whole sets of tags. The last two are means
#: over both videos of a pair.
COMPARED = (*PREFERENCES, "safe", "tags")
_SAME = {
    **{row: f"(first.{row} = second.{row})::int" for row in PREFERENCES},
    "safe": " + ".join(f"((first.{tags} = '{{}}') = (second.{tags} = '{{}}'))::int / 2.0" for tags in TAGS),
    "tags": " + ".join(
        f"(first.{tags} @> second.{tags} AND first.{tags} <@ second.{tags})::int / 2.0" for tags in TAGS
    ),
}
#: Clusters of prompts are put together at random into at most so many groups, so that a million answers take no longer
#: than a thousand. Groups of clusters vary as independently as clusters do.
GROUPS = 1024
_WEIGHT = f"CASE WHEN drawn.defect THEN 1 ELSE 1 / {SHARE} END"
_SUMS = f"""
SELECT {", ".join(f"sum({_WEIGHT} * ({same}))::float8" for same in _SAME.values())}, sum({_WEIGHT})::float8
  FROM qc_secondblind drawn
  JOIN qc_reviewanswer first ON first.id = drawn.first_id
  JOIN qc_reviewanswer second ON second.id = drawn.second_id
  JOIN catalog_pair pair ON pair.id = drawn.pair_id
  JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
 WHERE drawn.study_id = %(study)s AND drawn.second_id IS NOT NULL
 GROUP BY hashtext(coalesce(nullif(prompt.cluster, ''), prompt.id::text)) & {GROUPS - 1}
"""  # noqa: S608 - of constants


def done(study: Study) -> QuerySet[SecondBlind]:
    """Return the drawn pairs that have both answers, in the order in which they were drawn."""
    return SecondBlind.objects.filter(study=study, second__isnull=False).order_by("pk")


def reviewer_agreement(study: Study, *, fewest: int = FEWEST) -> ReviewerAgreement:
    """Return how far the blind answers of two reviewers agree, weighted by how the pairs were drawn."""
    counts = SecondBlind.objects.filter(study=study).aggregate(
        done=Count("second"), waiting=Count("pk", filter=Q(second=None)), defects=Count("second", filter=Q(defect=True))
    )
    found = ReviewerAgreement(**counts)
    if found.done < fewest:
        return found
    sums = np.array(fetch_all(_SUMS, {"study": study.pk}), dtype=np.float64)
    return replace(found, rows=tuple(_row(row, sums[:, [place, -1]], found.done) for place, row in enumerate(COMPARED)))


def _row(row: str, sums: Numbers, pairs: int) -> RowAgreement:
    """Return the agreement on one row. sums: (groups of clusters, 2), the weights of equal answers and of all."""
    share = float(PERCENT.value(sums.sum(axis=0)))
    return RowAgreement(row, Figure(share, interval(sums, PERCENT.value, seed=0), pairs, 2 * pairs))
