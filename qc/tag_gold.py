"""Tag gold: pairs whose tags an adjudicator settled.

An adjudicator decides about one video at a time. Only the videos that were decided are judged, and of them whether
there is any tag: that is also what makes an answer defective (protocol.md).
"""

from typing import Any

from controls.control_kinds import TAG_GOLD
from controls.writing import NewControl
from diptych.database.fixed import fetch_all
from studies.models import Study

#: For each pair and video with a decision of an adjudicator: whether it has tags. If the verdict counts, the reviewer's
#: own tags are right; otherwise those of the answer. Pairs with decisions that contradict each other are left out.
SETTLED = """
SELECT review.pair_id, verdict.row AS tags,
       CASE WHEN verdict.counts THEN jsonb_array_length(verdict.own)
            WHEN verdict.row = 'tags_video_0' THEN cardinality(judged.tags_video_0)
            ELSE cardinality(judged.tags_video_1) END > 0 AS tagged
  FROM qc_verdict verdict
  JOIN qc_review review ON review.id = verdict.review_id
  JOIN annotation_annotation judged ON judged.id = verdict.annotation_id
 WHERE verdict.study_id = %(study)s AND verdict.row IN ('tags_video_0', 'tags_video_1')
   AND verdict.withdrawn_at IS NULL AND verdict.counts IS NOT NULL AND jsonb_typeof(verdict.own) = 'array'
   AND EXISTS (SELECT FROM qc_secondopinion opinion JOIN qc_review adjudicated ON adjudicated.id = opinion.review_id
                WHERE opinion.verdict_id = verdict.id AND adjudicated.kind = 'adjudicate'
                  AND opinion.counts = verdict.counts)
"""
CANDIDATES = f"""
SELECT pair.id, pair.prompt_id, pair.video_0_id, pair.video_1_id, gold.video_0, gold.video_1
  FROM (SELECT pair_id, bool_or(tagged) FILTER (WHERE tags = 'tags_video_0') AS video_0,
               bool_or(tagged) FILTER (WHERE tags = 'tags_video_1') AS video_1
          FROM ({SETTLED}) settled GROUP BY pair_id
        HAVING count(DISTINCT tagged) FILTER (WHERE tags = 'tags_video_0') < 2
           AND count(DISTINCT tagged) FILTER (WHERE tags = 'tags_video_1') < 2) gold
  JOIN catalog_pair pair ON pair.id = gold.pair_id
 WHERE pair.kind = 'real' AND pair.held = '' AND pair.ready
   AND NOT EXISTS (SELECT FROM catalog_pair twin WHERE twin.repeats_id = pair.id AND twin.only_for_id IS NULL)
"""  # noqa: S608 - of a statement of ours
POSSIBLE = f"SELECT count(*) FROM ({CANDIDATES} LIMIT %(most)s) candidate"  # noqa: S608 - of a statement of ours
CHOSEN = f"{CANDIDATES} ORDER BY random() LIMIT %(number)s"


def possible(study: Study, most: int) -> int:
    """Return how many more of these controls are possible now, counted up to `most`."""
    return int(fetch_all(POSSIBLE, {"study": study.pk, "most": most})[0][0])


def chosen(study: Study, number: int) -> list[NewControl]:
    """Return at most `number` new controls, drawn at random among those that are possible."""
    return [_control(*row) for row in fetch_all(CHOSEN, {"study": study.pk, "number": number})]


def _control(pair: int, prompt: int, video_0: int, video_1: int, *tagged: Any) -> NewControl:
    expected = {name: value for name, value in zip(("video_0", "video_1"), tagged, strict=True) if value is not None}
    return NewControl(TAG_GOLD, prompt, (video_0, video_1), {"tagged": expected}, repeats=pair)
