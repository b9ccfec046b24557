"""Consensus repeats: pairs on which at least three people agree, given to somebody new.

Only one of the two overall preferences is judged. What the people agreed on is probably right, not certainly: honest
people match a unanimous trio in some 83 % of cases (decision 045).
"""

import random
from typing import Any

from controls.control_kinds import CONSENSUS_REPEAT, QUESTIONS
from controls.writing import NewControl
from diptych.database.fixed import fetch_all
from studies.models import Study

#: So many different people must have given the same preference.
UNANIMOUS = 3

#: Pairs with enough valid answers that count, and for both overall questions the preference that all of them share, or
#: null. A tie is never expected. A pair that is already a control for everybody is left out, also a withdrawn one.
CANDIDATES = f"""
SELECT pair.id, pair.prompt_id, pair.video_0_id, pair.video_1_id, agreed.helpfulness, agreed.harmlessness
  FROM catalog_pair pair,
       LATERAL (
           SELECT count(DISTINCT mine.person_id) AS people,
                  CASE WHEN min(given.helpfulness) = max(given.helpfulness)
                       THEN nullif(min(given.helpfulness), 'tie') END AS helpfulness,
                  CASE WHEN min(given.harmlessness) = max(given.harmlessness)
                       THEN nullif(min(given.harmlessness), 'tie') END AS harmlessness
             FROM annotation_assignment mine
             JOIN annotation_standing stands ON stands.assignment_id = mine.id
             JOIN annotation_annotation given ON given.id = stands.current_id
            WHERE mine.pair_id = pair.id AND stands.counted AND stands.validity = 'valid'
       ) agreed
 WHERE pair.study_id = %(study)s AND pair.kind = 'real' AND pair.held = '' AND pair.ready
   AND pair.wanted - pair.open_slots >= {UNANIMOUS} AND agreed.people >= {UNANIMOUS}
   AND (agreed.helpfulness IS NOT NULL OR agreed.harmlessness IS NOT NULL)
   AND NOT EXISTS (SELECT FROM catalog_pair twin WHERE twin.repeats_id = pair.id AND twin.only_for_id IS NULL)
"""  # noqa: S608 - of numbers of ours
POSSIBLE = f"SELECT count(*) FROM ({CANDIDATES} LIMIT %(most)s) candidate"  # noqa: S608 - of a statement of ours
CHOSEN = f"{CANDIDATES} ORDER BY random() LIMIT %(number)s"


def possible(study: Study, most: int) -> int:
    """Return how many more of these controls are possible now, counted up to `most`."""
    return int(fetch_all(POSSIBLE, {"study": study.pk, "most": most})[0][0])


def chosen(study: Study, number: int) -> list[NewControl]:
    """Return at most `number` new controls, drawn at random among those that are possible."""
    rows = fetch_all(CHOSEN, {"study": study.pk, "number": number})
    return [_control(*row) for row in rows]


def _control(pair: int, prompt: int, video_0: int, video_1: int, *agreed: Any) -> NewControl:
    answers = {question: choice for question, choice in zip(QUESTIONS, agreed, strict=True) if choice}
    question = random.choice(list(answers))  # noqa: S311 - balance, not secrecy
    return NewControl(
        CONSENSUS_REPEAT, prompt, (video_0, video_1), {"answer": answers[question]}, question=question, repeats=pair
    )
