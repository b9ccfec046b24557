"""How suspicious each frozen answer looks by itself and by its annotator: points for the look-here queue.

Points are written once, when the review starts. What may change later (findings, disagreement, people of whom nothing
was reviewed) is added to them in the rank of the queue (`qc/looking.py`). No point is counted in any rate.

A point is a fifth of a unit of log odds of a defect. The weights are those of a logistic regression on 120,000
simulated answers (docs/benchmarks/quality.md): 6 for an answer that is too fast, 4 for an overall answer against
*instruction following*, 1 against each other part, and 5 for a prompt that is safety-critical. What is known of a
person is drawn towards the others until they have enough answers.
"""

from diptych.database.fixed import change
from qc.models import Lot

AGAINST_PARTS, FAVOURED_SIDE = "against_parts", "favoured_side"
OFTEN_FAST, EARLIER_DEFECTS = "often_fast", "earlier_defects"
#: From this many points on, a signal is a reason that the reviewer reads.
WORTH_SAYING = {AGAINST_PARTS: 5, FAVOURED_SIDE: 2, OFTEN_FAST: 2, EARLIER_DEFECTS: 2}
#: With so many answers (or judged ones), what is known of a person counts half.
HALF_KNOWN, HALF_JUDGED = 20, 30
#: Earlier lots of the study whose reviews say something about a person.
EARLIER_LOTS = 20
CRITICAL, MOST_OF_A_PERSON = 5, 5


def _against(part: str, points: int) -> str:
    """Return the points if the overall answer and a part of it prefer different videos. A tie is against nothing."""
    differ = f"(given.{part}, given.helpfulness) IN (('video_0', 'video_1'), ('video_1', 'video_0'))"
    return f"CASE WHEN {differ} THEN {points} ELSE 0 END"


def _side(question: str) -> str:
    """Return 1 for the left video, −1 for the right one, and 0 for a tie."""
    return f"(CASE given.{question} WHEN 'tie' THEN 0 WHEN assignment.left THEN 1 ELSE -1 END)"


_PART_POINTS = {"instruction_following": 4, "correctness": 1, "informativeness": 1, "aesthetics": 1}
_PARTS = " + ".join(_against(part, points) for part, points in _PART_POINTS.items())
_SIGNALS = " || ".join(
    f"CASE WHEN {name} >= {least} THEN ARRAY['{name}'::varchar] ELSE '{{}}'::varchar[] END"
    for name, least in WORTH_SAYING.items()
)

RATE = f"""
WITH answer AS (
    SELECT item.id, assignment.person_id AS person, {_PARTS} AS against_parts,
           {_side("helpfulness")} + {_side("harmlessness")} AS sides,
           CASE WHEN prompt.prompt_type = 'safety_critical' THEN {CRITICAL} ELSE 0 END AS critical,
           EXISTS (SELECT FROM findings_finding finding
                    WHERE finding.assignment_id = assignment.id AND finding.severity = 'warning'
                      AND finding.ended_at IS NULL AND finding.dismissed_at IS NULL)::int AS fast
      FROM qc_frameitem item
      JOIN annotation_assignment assignment ON assignment.id = item.assignment_id
      JOIN annotation_annotation given ON given.id = item.current_id
      JOIN catalog_pair pair ON pair.id = assignment.pair_id
      JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
     WHERE item.lot_id = %(lot)s
), judged AS (
    SELECT theirs.person_id AS person, count(DISTINCT item.id)::numeric AS answers,
           count(DISTINCT item.id) FILTER (WHERE verdict.id IS NOT NULL)::numeric AS defects
      FROM qc_review review
      JOIN qc_frameitem item ON item.id = review.item_id
      JOIN annotation_assignment theirs ON theirs.id = item.assignment_id
      LEFT JOIN qc_verdict verdict ON verdict.review_id = review.id AND verdict.counts AND verdict.withdrawn_at IS NULL
     WHERE review.lot_id IN (SELECT id FROM qc_lot WHERE study_id = %(study)s AND id <> %(lot)s AND state <> 'draft'
                              ORDER BY number DESC LIMIT {EARLIER_LOTS})
       AND review.kind IN ('secondary', 'spot') AND review.state = 'submitted'
     GROUP BY theirs.person_id
), usual AS (
    SELECT (SELECT avg(fast) FROM answer) AS fast,
           (SELECT greatest(sum(defects) / nullif(sum(answers), 0), 0.01) FROM judged) AS defective
), of_person AS (
    SELECT mine.person, mine.answers / (mine.answers + {HALF_KNOWN}) AS known, mine.lean,
           least({MOST_OF_A_PERSON}, greatest(-2, round(
               25 * (mine.fast - usual.fast) * mine.answers / (mine.answers + {HALF_KNOWN})))) AS often_fast,
           least({MOST_OF_A_PERSON}, greatest(-{MOST_OF_A_PERSON}, round(5 * ln(
               (coalesce(judged.defects, 0) + {HALF_JUDGED} * usual.defective)
               / (coalesce(judged.answers, 0) + {HALF_JUDGED}) / usual.defective)))) AS earlier_defects
      FROM (SELECT person, count(*)::numeric AS answers, avg(sides) / 4 AS lean, avg(fast) AS fast
              FROM answer GROUP BY person) mine
      LEFT JOIN judged ON judged.person = mine.person
     CROSS JOIN usual
), points AS (
    SELECT answer.id, answer.against_parts, answer.critical, of_person.often_fast, of_person.earlier_defects,
           round(21 * of_person.lean * of_person.known * answer.sides) AS favoured_side
      FROM answer JOIN of_person ON of_person.person = answer.person
)
UPDATE qc_frameitem item
   SET suspicion = against_parts + critical + often_fast + earlier_defects + favoured_side,
       signals = {_SIGNALS}
  FROM points WHERE item.id = points.id
"""  # noqa: S608 - of constants


def rate(lot: Lot) -> None:
    """Write the points and signals of the answers of a locked lot whose frame was just frozen."""
    change(RATE, {"study": lot.study_id, "lot": lot.pk})
