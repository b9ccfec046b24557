"""Read what figures of annotators are made from: their first answers, and what reviewers said about them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.acceptance import REJECTED
from annotation.protocol import VIDEOS
from diptych.database.fixed import fetch_all
from figures.agreement.planned import CODED, PLANNED, coded_choice, coded_tags
from figures.agreement.planned import QUESTIONS as QUESTIONS
from figures.agreement.sample import Flags, Index, fetch_numbers
from studies.models import Study

#: Milliseconds of a column that may be missing; -1 where it is.
_ACTIVE = """
CASE WHEN jsonb_typeof(first.timings_ms -> 'total_active') = 'number'
     THEN least(greatest((first.timings_ms ->> 'total_active')::numeric, 0), 1e9)::bigint ELSE -1 END
"""
_ANSWERS = f"""
SELECT mine.person_id, mine.pair_id, extract(epoch FROM mine.ended_at)::bigint,
       CASE mine.left WHEN '{VIDEOS[0]}' THEN 0 ELSE 2 END, (stands.validity = 'valid')::int,
       (stands.uncounted_reason = '{REJECTED}')::int, ({PLANNED})::int, {_ACTIVE},
       coalesce((1000 * greatest(asset_0.duration_s, asset_1.duration_s))::bigint, -1), {CODED}
  FROM annotation_assignment mine
  JOIN annotation_standing stands ON stands.assignment_id = mine.id
  JOIN annotation_annotation first ON first.assignment_id = mine.id AND first.revision = 1
  JOIN catalog_pair pair ON pair.id = mine.pair_id
  JOIN catalog_video video_0 ON video_0.id = pair.video_0_id
  JOIN catalog_video video_1 ON video_1.id = pair.video_1_id
  JOIN media_asset asset_0 ON asset_0.id = video_0.asset_id
  JOIN media_asset asset_1 ON asset_1.id = video_1.asset_id
 WHERE mine.study_id = %(study)s AND mine.state = 'submitted' AND mine.round = 0 AND pair.kind = 'real'
"""  # noqa: S608 - of constants

_THEIRS = ", ".join(
    [
        *(coded_choice(f"answer.{key}") for key in QUESTIONS),
        *(coded_tags(f"answer.tags_{video}") for video in VIDEOS),
    ]
)
#: One blind review of each answer: that of the spot check if there is one. “Suspicious answers” is not drawn at random.
_REVIEWS = f"""
SELECT DISTINCT ON (item.id) mine.person_id, item.assignment_id, {CODED}, {_THEIRS}
  FROM qc_review review
  JOIN qc_frameitem item ON item.id = review.item_id
  JOIN annotation_assignment mine ON mine.id = item.assignment_id
  JOIN annotation_annotation first ON first.id = item.first_id
  JOIN qc_reviewanswer answer
    ON answer.lot_id = review.lot_id AND answer.pair_id = review.pair_id AND answer.reviewer_id = review.reviewer_id
 WHERE review.study_id = %(study)s AND review.state = 'submitted' AND review.blind
   AND review.kind IN ('spot', 'secondary')
 ORDER BY item.id, review.kind DESC
"""  # noqa: S608 - of constants
#: What reviewers answered themselves. It counts as an answer of theirs to the pair.
_REVIEWERS = f"""
SELECT answer.reviewer_id, answer.pair_id, {_THEIRS}
  FROM qc_reviewanswer answer WHERE answer.study_id = %(study)s ORDER BY answer.id
"""  # noqa: S608 - of constants

_DEFECT = """
EXISTS (SELECT FROM qc_verdict verdict JOIN qc_review review ON review.id = verdict.review_id
         WHERE verdict.item_id = item.id AND verdict.counts AND verdict.withdrawn_at IS NULL
           AND review.kind IN ('spot', 'secondary'))
"""
#: Judged answers by person: those that a drawn review judged, the defective ones among them, those that were in the
#: first attempt of a decided lot, and those of them that were accepted without a defect.
JUDGED = f"""
SELECT person, count(*) FILTER (WHERE judged), count(*) FILTER (WHERE judged AND defect),
       count(*) FILTER (WHERE first_attempt), count(*) FILTER (WHERE first_attempt AND passed AND NOT defect)
  FROM (SELECT mine.person_id AS person, {_DEFECT} AS defect,
               EXISTS (SELECT FROM qc_review review WHERE review.item_id = item.id AND review.state = 'submitted'
                          AND review.kind IN ('spot', 'secondary')) AS judged,
               lot.attempt = 1 AND lot.state IN ('accepted', 'returned') AND item.lost = '' AS first_attempt,
               lot.state = 'accepted' AND stands.counted AND stands.validity = 'valid' AS passed
          FROM qc_frameitem item
          JOIN qc_lot lot ON lot.id = item.lot_id
          JOIN annotation_assignment mine ON mine.id = item.assignment_id
          JOIN annotation_standing stands ON stands.assignment_id = mine.id
         WHERE item.study_id = %(study)s) found
 GROUP BY person
"""  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True)
class FirstAnswers:
    """First answers of all annotators, one number an answer in each column.

    left: the code of the video that stood on the left. active_ms: reported active time, -1 if unknown. video_ms: length
    of the longer video. choices: (answers, 6). tags: (answers, 2).
    """

    person: Index
    pair: Index
    second: Index
    left: Index
    valid: Flags
    rejected: Flags
    planned: Flags
    active_ms: Index
    video_ms: Index
    choices: Index
    tags: Index

    def __len__(self) -> int:
        return len(self.person)


def first_answers(study: Study) -> FirstAnswers:
    """Return the first answers of all annotators of the study."""
    rows = fetch_numbers(_ANSWERS, {"study": study.pk}, width=17)
    return FirstAnswers(
        person=rows[:, 0],
        pair=rows[:, 1],
        second=rows[:, 2],
        left=rows[:, 3],
        valid=rows[:, 4] == 1,
        rejected=rows[:, 5] == 1,
        planned=rows[:, 6] == 1,
        active_ms=rows[:, 7],
        video_ms=rows[:, 8],
        choices=rows[:, 9:15],
        tags=rows[:, 15:17],
    )


@dataclass(frozen=True, slots=True)
class BlindReviews:
    """One blind review for each reviewed answer: what its annotator first answered, and what the reviewer did."""

    person: Index
    choices: Index
    tags: Index
    reviewers_choices: Index
    reviewers_tags: Index


def blind_reviews(study: Study) -> BlindReviews:
    """Return the blind reviews of the study that were drawn at random."""
    rows = fetch_numbers(_REVIEWS, {"study": study.pk}, width=18)
    return BlindReviews(rows[:, 0], rows[:, 2:8], rows[:, 8:10], rows[:, 10:16], rows[:, 16:18])


@dataclass(frozen=True, slots=True)
class Judgements:
    """Answers of annotators and reviewers to the same pairs. Nobody has two answers to one pair."""

    pair: Index
    person: Index
    choices: Index
    tags: Index

    def only(self, pairs: Index) -> "Judgements":
        """Return the answers to these pairs."""
        mine = np.isin(self.pair, pairs)
        return Judgements(self.pair[mine], self.person[mine], self.choices[mine], self.tags[mine])


def judgements(study: Study, answers: FirstAnswers) -> Judgements:
    """Return the planned first answers together with what reviewers answered themselves."""
    reviewers = fetch_numbers(_REVIEWERS, {"study": study.pk}, width=10)
    mine = answers.planned
    pair = np.concatenate([answers.pair[mine], reviewers[:, 1]])
    person = np.concatenate([answers.person[mine], reviewers[:, 0]])
    _, once = np.unique(np.stack([pair, person], axis=1), axis=0, return_index=True)
    return Judgements(
        pair=pair[once],
        person=person[once],
        choices=np.concatenate([answers.choices[mine], reviewers[:, 2:8]])[once],
        tags=np.concatenate([answers.tags[mine], reviewers[:, 8:10]])[once],
    )


#: Weights for training must not come from answers by which models are judged.
_TRAINING_PAIRS = """
SELECT pair.id FROM catalog_pair pair JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
 WHERE pair.study_id = %(study)s AND prompt.split = 'train' AND prompt.set = 'corpus'
"""


def training_pairs(study: Study) -> Index:
    """Return the keys of the pairs on which models may be trained."""
    return fetch_numbers(_TRAINING_PAIRS, {"study": study.pk}, width=1)[:, 0]


def judged(study: Study) -> dict[int, tuple[int, int, int, int]]:
    """Return for each person the four counts of `JUDGED`."""
    return {int(row[0]): (row[1], row[2], row[3], row[4]) for row in fetch_all(JUDGED, {"study": study.pk})}


def popcount(masks: NDArray[Any]) -> Index:
    """Return how many tags each number stands for."""
    return np.bitwise_count(masks).astype(np.int64)
