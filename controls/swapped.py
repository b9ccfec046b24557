"""Swapped repeats: a pair that the same person answered long ago, with the sides swapped.

They show whether a person agrees with themselves. They do not show who is right.
"""

import random
from typing import Any

from controls.control_kinds import QUESTIONS, SWAPPED_REPEAT
from controls.writing import NewControl
from diptych.database.fixed import fetch_all
from studies.models import Study

#: A repeat comes at least so many pairs, and at least a day, after the first answer.
PAIRS_LATER = 50

#: Answers of the study's annotators that lie far enough back. The control is made only then, so whenever it is served
#: it is late enough. Whoever had the pair in another form too, or more than once, does not get it again.
CANDIDATES = f"""
SELECT pair.id, pair.prompt_id, pair.video_0_id, pair.video_1_id, mine.person_id, mine.left,
       first.helpfulness, first.harmlessness
  FROM (SELECT member.person_id,
               (SELECT latest.ended_at FROM annotation_assignment latest
                 WHERE latest.study_id = %(study)s AND latest.person_id = member.person_id
                   AND latest.state = 'submitted'
                 ORDER BY latest.ended_at DESC OFFSET {PAIRS_LATER - 1} LIMIT 1) AS far_back
          FROM studies_membership member
         WHERE member.study_id = %(study)s AND member.role = 'annotator') person
  JOIN annotation_assignment mine
    ON mine.study_id = %(study)s AND mine.person_id = person.person_id AND mine.state = 'submitted'
   AND mine.ended_at < least(person.far_back, now() - interval '1 day') AND person.far_back IS NOT NULL
  JOIN annotation_annotation first ON first.assignment_id = mine.id AND first.revision = 1
  JOIN catalog_pair pair ON pair.id = mine.pair_id
 WHERE pair.kind = 'real' AND pair.held = '' AND pair.ready AND mine.round = 0
   AND NOT EXISTS (SELECT FROM annotation_assignment again
                    WHERE again.pair_id = pair.id AND again.person_id = mine.person_id AND again.round > 0)
   AND NOT EXISTS (SELECT FROM catalog_pair twin WHERE twin.repeats_id = pair.id
                      AND (twin.only_for_id = mine.person_id
                           OR EXISTS (SELECT FROM annotation_assignment had
                                       WHERE had.pair_id = twin.id AND had.person_id = mine.person_id)))
"""  # noqa: S608 - of numbers of ours
POSSIBLE = f"SELECT count(*) FROM ({CANDIDATES} LIMIT %(most)s) candidate"  # noqa: S608 - of a statement of ours
#: In turn for each person, so that everybody gets about as many.
CHOSEN = f"""
SELECT * FROM ({CANDIDATES}) candidate
 ORDER BY row_number() OVER (PARTITION BY person_id ORDER BY random()), random() LIMIT %(number)s
"""  # noqa: S608 - of a statement of ours


def possible(study: Study, most: int) -> int:
    """Return how many more of these controls are possible now, counted up to `most`."""
    return int(fetch_all(POSSIBLE, {"study": study.pk, "most": most})[0][0])


def chosen(study: Study, number: int) -> list[NewControl]:
    """Return at most `number` new controls, drawn at random, about as many for each person."""
    return [_control(*row) for row in fetch_all(CHOSEN, {"study": study.pk, "number": number})]


def _control(pair: int, prompt: int, video_0: int, video_1: int, person: int, left: str, *first: Any) -> NewControl:
    question = random.choice(QUESTIONS)  # noqa: S311 - balance, not secrecy
    expected = {
        "answer": dict(zip(QUESTIONS, first, strict=True))[question],
        "left": "video_1" if left == "video_0" else "video_0",
    }
    videos = (video_0, video_1)
    return NewControl(SWAPPED_REPEAT, prompt, videos, expected, question=question, repeats=pair, only_for=person)
