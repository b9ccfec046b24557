"""Judge first submissions on controls. Who submits waits for nothing: the check of new answers does it a little later.

What is expected is in `Pair.expected`:

- `answer`: the choice on the control's one question (consensus repeat, swapped repeat).
- `tie`: whether both overall preferences must be ties. The tags of both videos must be equal in any case (re-encode).
- `tagged`: for each decided video, whether it has any tag (tag gold).
"""

from collections.abc import Collection

from controls.control_kinds import CONSENSUS_REPEAT, REENCODED, SWAPPED_REPEAT
from diptych.database.fixed import change

#: Revision 1 never changes, so an answer is judged once. A later revision leaves the result as it is.
JUDGE = f"""
INSERT INTO controls_controlresult (assignment_id, study_id, control_id, person_id, kind, "right", answered_at)
SELECT mine.id, mine.study_id, control.id, mine.person_id, control.kind,
       CASE WHEN control.kind IN ('{CONSENSUS_REPEAT}', '{SWAPPED_REPEAT}')
            THEN pair.expected ->> 'answer'
                 = CASE control.question WHEN 'helpfulness' THEN first.helpfulness ELSE first.harmlessness END
            WHEN control.kind = '{REENCODED}'
            THEN first.tags_video_0 @> first.tags_video_1 AND first.tags_video_0 <@ first.tags_video_1
                 AND (NOT (pair.expected ->> 'tie')::boolean
                      OR first.helpfulness = 'tie' AND first.harmlessness = 'tie')
            ELSE coalesce((pair.expected #>> '{{tagged,video_0}}')::boolean = (first.tags_video_0 <> '{{}}'), true)
                 AND coalesce((pair.expected #>> '{{tagged,video_1}}')::boolean = (first.tags_video_1 <> '{{}}'), true)
       END,
       mine.ended_at
  FROM annotation_assignment mine
  JOIN catalog_pair pair ON pair.id = mine.pair_id AND pair.kind = 'control'
  JOIN controls_control control ON control.pair_id = pair.id
  JOIN annotation_annotation first ON first.assignment_id = mine.id AND first.revision = 1
 WHERE mine.id = ANY(%(assignments)s) AND mine.round = 0
    ON CONFLICT (assignment_id) DO NOTHING
"""  # noqa: S608 - of constants


def judge(assignments: Collection[int]) -> int:
    """Judge those of these answered assignments that are controls. Return how many. Repeating it is harmless."""
    return change(JUDGE, {"assignments": list(assignments)})
