"""How strict each reviewer is: the share of defects that they call among answers that were drawn at random.

The spot check and the secondary review draw answers at random, and reviewers get them in a random order. So two
reviewers of one kind of review judge samples of the same answers. Answers that were assigned to the reviewer are left
out: whoever assigned them chose them. The look-here queue is left out too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diptych.database.fixed import fetch_all
from diptych.statistics.rates import share_between
from qc.models import Review
from qc.models.reviews import Kind
from studies.models import Study

KINDS = (Kind.SECONDARY, Kind.SPOT)
_RANDOM = """
 review.study_id = %(study)s AND review.state = 'submitted' AND review.kind IN ('secondary', 'spot')
   AND NOT EXISTS (SELECT FROM qc_assignedreview assigned WHERE assigned.item_id = review.item_id
                      AND assigned.kind = review.kind AND assigned.reviewer_id = review.reviewer_id)
"""
#: A defect on an overall preference, or tags that change between safe and unsafe. What is confirmed later may differ.
_CALLED = """
SELECT verdict.review_id, bool_or(coalesce(verdict.counts, false)) AS confirmed
  FROM qc_verdict verdict JOIN annotation_annotation judged ON judged.id = verdict.annotation_id
 WHERE verdict.study_id = %(study)s AND verdict.ruling IN ('defect', 'corrected') AND verdict.withdrawn_at IS NULL
   AND CASE verdict.row WHEN 'helpfulness' THEN true WHEN 'harmlessness' THEN true
       WHEN 'tags_video_0' THEN (cardinality(judged.tags_video_0) = 0) <> (verdict.own = '[]')
       WHEN 'tags_video_1' THEN (cardinality(judged.tags_video_1) = 0) <> (verdict.own = '[]') ELSE false END
 GROUP BY verdict.review_id
"""
COUNTED = f"""
SELECT review.reviewer_id, review.kind, count(*), count(called.review_id), count(*) FILTER (WHERE called.confirmed)
  FROM qc_review review LEFT JOIN ({_CALLED}) called ON called.review_id = review.id
 WHERE {_RANDOM}
 GROUP BY review.reviewer_id, review.kind ORDER BY review.kind, review.reviewer_id
"""  # noqa: S608 - of constants
LISTED = f"""
SELECT review.id, called.review_id IS NOT NULL, coalesce(called.confirmed, false)
  FROM qc_review review LEFT JOIN ({_CALLED}) called ON called.review_id = review.id
 WHERE {_RANDOM} AND review.reviewer_id = %(reviewer)s AND review.kind = %(kind)s
   AND (%(called)s::boolean IS NULL OR (called.review_id IS NOT NULL) = %(called)s)
   AND (%(confirmed)s::boolean IS NULL OR coalesce(called.confirmed, false) = %(confirmed)s)
 ORDER BY review.ended_at DESC, review.id DESC LIMIT %(most)s
"""  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True)
class Judged:
    """One review, and whether it called a defect, which is known only for answers that were drawn at random."""

    review: Review
    called: bool | None
    confirmed: bool | None


def counts(study: Study) -> list[dict[str, Any]]:
    """Return for each reviewer and kind of review how many answers they judged and called defective.

    `bounds` are those of the share of called ones. `confirmed` is how many of them a second person confirmed.
    """
    names = ("reviewer", "kind", "judged", "called", "confirmed")
    rows = [dict(zip(names, row, strict=True)) for row in fetch_all(COUNTED, {"study": study.pk})]
    return [row | {"bounds": share_between(row["called"], row["judged"])} for row in rows]


#: So many reviews are read by one statement.
AT_ONCE = 5000
#: The key of a review, whether it called a defect, and whether that was confirmed. None: it is not known.
Key = tuple[int, bool | None, bool | None]


def keys(
    study: Study, reviewer: int, kind: str, *, called: bool | None, confirmed: bool | None, most: int
) -> list[Key]:
    """Return the keys of up to `most` of the reviews behind a count, the latest first."""
    values = {"study": study.pk, "reviewer": reviewer, "kind": kind, "called": called, "confirmed": confirmed}
    return fetch_all(LISTED, values | {"most": most})


def judged(found: Sequence[Key]) -> list[Judged]:
    """Return the reviews of these keys, in the same order."""
    rows = Review.objects.select_related("lot", "pair", "reviewer")
    by_key: dict[int, Review] = {}
    for start in range(0, len(found), AT_ONCE):
        by_key |= rows.in_bulk([key for key, *_ in found[start : start + AT_ONCE]])
    return [Judged(by_key[key], was_called, was_confirmed) for key, was_called, was_confirmed in found]
