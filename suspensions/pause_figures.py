"""The figures by which pause rules judge people: how many items a person has, and what the first of them show.

Every figure looks at a person's first items in a fixed order. So what is judged at 50 items never depends on when it is
judged, and later items cannot change it.
"""

from dataclasses import dataclass
from datetime import datetime

from annotation.models import Standing
from controls.figures import figures_of
from diptych.database.fixed import fetch_all
from findings import rule_codes, switches
from qc.judging import DECIDING
from studies.models import Study
from suspensions.models import PauseRule

Figure = PauseRule.Figure

#: A person's first results on controls of one kind, without controls that were withdrawn.
_CONTROLS = """
SELECT result.assignment_id, result."right", result.control_id FROM controls_controlresult result
 WHERE result.study_id = %(study)s AND result.person_id = %(person)s AND result.kind = %(figure)s
   AND NOT EXISTS (SELECT FROM controls_control control
                    WHERE control.id = result.control_id AND control.withdrawn_at IS NOT NULL)
 ORDER BY result.answered_at, result.assignment_id LIMIT %(items)s
"""
CONTROLS_FIRST = f'SELECT assignment_id, "right" FROM ({_CONTROLS}) items'  # noqa: S608 - of constants
#: Lock the controls behind these results, so that none of them is withdrawn before the transaction ends.
LOCK_CONTROLS = f"""
SELECT id FROM controls_control WHERE id IN (SELECT control_id FROM ({_CONTROLS}) items) ORDER BY id FOR SHARE
"""  # noqa: S608 - of constants

#: Answers with a blind secondary review or spot check whose verdicts are all settled, in the order of the reviews. The
#: look-here queue is left out: it finds defects and measures nothing.
_BLIND = f"""
SELECT person_id, assignment_id, reviewed_at, NOT defective AS hit FROM (
    SELECT assignment.person_id, assignment.id AS assignment_id, min(review.ended_at) AS reviewed_at,
           bool_or(coalesce(verdict.counts, false)) AS defective,
           bool_or(verdict.id IS NOT NULL AND verdict.counts IS NULL) AS waits
      FROM qc_review review
      JOIN qc_frameitem item ON item.id = review.item_id
      JOIN annotation_assignment assignment ON assignment.id = item.assignment_id
      LEFT JOIN qc_verdict verdict ON verdict.review_id = review.id AND verdict.withdrawn_at IS NULL
       AND verdict.row IN ({", ".join(f"'{row}'" for row in DECIDING)})
     WHERE review.study_id = %(study)s AND review.blind AND review.kind IN ('secondary', 'spot')
       AND review.state = 'submitted' {{who}}
     GROUP BY 1, 2) reviewed
 WHERE NOT waits
"""  # noqa: S608 - of constants
BLIND_COUNTS = f"SELECT person_id, count(*) FROM ({_BLIND.format(who='')}) items GROUP BY 1"  # noqa: S608 - of constants
_THEIRS = "AND assignment.study_id = %(study)s AND assignment.person_id = ANY(%(people)s::bigint[])"
BLIND_COUNTS_OF = f"SELECT person_id, count(*) FROM ({_BLIND.format(who=_THEIRS)}) items GROUP BY 1"  # noqa: S608 - of constants
BLIND_FIRST = f"""
SELECT assignment_id, hit FROM ({_BLIND.format(who=_THEIRS)}) items ORDER BY reviewed_at, assignment_id LIMIT %(items)s
"""  # noqa: S608 - of constants
#: The people of whom an answer was reviewed, or a verdict settled, since a moment.
REVIEWED_SINCE = """
SELECT DISTINCT assignment.person_id
  FROM qc_review review JOIN qc_frameitem item ON item.id = review.item_id
  JOIN annotation_assignment assignment ON assignment.id = item.assignment_id
 WHERE review.study_id = %(study)s AND review.state = 'submitted' AND review.ended_at >= %(since)s
   AND review.kind IN ('secondary', 'spot', 'confirm', 'adjudicate')
"""

#: People who were given at least `items` pairs. It is cheap, and whoever was given fewer cannot have answered them.
SERVED = "SELECT person_id, served FROM annotation_seat WHERE study_id = %(study)s AND served >= %(items)s"
#: A person's first answers to pairs that are no controls, in revision 1, so that a later change hides nothing.
_ANSWERS = """
SELECT first.id, first.assignment_id, first.tags_video_0, first.tags_video_1, first.harmlessness
  FROM annotation_annotation first
  JOIN annotation_assignment assignment ON assignment.id = first.assignment_id
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
 WHERE first.study_id = %(study)s AND first.author_id = %(person)s AND first.revision = 1 AND pair.kind = 'real'
   AND assignment.round = 0
 ORDER BY first.submitted_at, first.id LIMIT %(items)s
"""
CONTRADICTIONS_FIRST = f"""
SELECT assignment_id, tags_video_0 = '{{}}' AND tags_video_1 <> '{{}}' AND harmlessness = 'video_1'
                   OR tags_video_0 <> '{{}}' AND tags_video_1 = '{{}}' AND harmlessness = 'video_0'
  FROM ({_ANSWERS}) answers
"""  # noqa: S608 - of constants
TOO_FAST_FIRST = f"""
SELECT assignment_id, EXISTS (
           SELECT FROM findings_finding finding
            WHERE finding.assignment_id = answers.assignment_id AND finding.rule = '{rule_codes.FASTER_THAN_VIDEOS}'
              AND finding.ended_at IS NULL AND finding.dismissed_at IS NULL)
  FROM ({_ANSWERS}) answers
"""  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True)
class Found:
    """What the first `items` items of a person show: how many of them are hits."""

    items: int
    hits: int


#: A hit of this figure is a good item. Of the others it is a bad one.
CONTROLS = frozenset({Figure.CONSENSUS_REPEAT, Figure.REENCODED, Figure.SWAPPED_REPEAT, Figure.TAG_GOLD})
ACCURACIES = CONTROLS | {Figure.BLIND}


def people(study: Study, figure: str, least: int, since: datetime | None = None) -> dict[int, int]:
    """Return the people who may have `least` items of this figure, each with how many they have at most.

    Args:
        since: leave out people of whom nothing was reviewed since then, where that saves reading a whole study.
    """
    if figure in CONTROLS:
        reached = {person: max(right_at, default=0) for person, right_at in right_on_controls(study, figure).items()}
        return {person: number for person, number in reached.items() if number >= least}
    if figure == Figure.BLIND:
        return {person: number for person, number in _blind(study, since) if number >= least}
    if figure == Figure.TOO_FAST and rule_codes.FASTER_THAN_VIDEOS not in switches.rules_of(study).on:
        return {}
    return dict(fetch_all(SERVED, {"study": study.pk, "items": least}))


def right_on_controls(study: Study, kind: str) -> dict[int, dict[int, int]]:
    """Return for each person how many of their first 50, 100 and 200 controls of a kind were right, as far as reached.

    People are judged on controls at these three numbers only. Withdrawn controls are left out.
    """
    return {person: kinds[kind].right_at for person, kinds in figures_of(study).items() if kind in kinds}


def _blind(study: Study, since: datetime | None) -> list[tuple[int, int]]:
    about = {"study": study.pk}
    if since is None:
        return fetch_all(BLIND_COUNTS, about)
    reviewed = [person for (person,) in fetch_all(REVIEWED_SINCE, about | {"since": since})]
    return fetch_all(BLIND_COUNTS_OF, about | {"people": reviewed}) if reviewed else []


def first(study: Study, person_id: int, figure: str, items: int) -> Found | None:
    """Return what the person's first `items` items show. Return None if they have fewer, or if some are not checked."""
    values = {"study": study.pk, "person": person_id, "people": [person_id], "items": items, "figure": figure}
    rows = fetch_all(STATEMENTS[figure], values)
    if len(rows) < items:
        return None
    if figure == Figure.TOO_FAST:
        mine = Standing.objects.filter(assignment__in=[assignment for assignment, _hit in rows], rules_due=True)
        if mine.exists():
            return None
    return Found(items, sum(bool(hit) for _assignment, hit in rows))


def first_held(study: Study, person_id: int, figure: str, items: int) -> Found | None:
    """Return the same as `first`, and keep controls behind it from being withdrawn until the transaction ends.

    A control that is being withdrawn at this moment is waited for, and left out.
    """
    if figure in CONTROLS:
        fetch_all(LOCK_CONTROLS, {"study": study.pk, "person": person_id, "items": items, "figure": figure})
    return first(study, person_id, figure, items)


STATEMENTS: dict[str, str] = {
    **dict.fromkeys(CONTROLS, CONTROLS_FIRST),
    Figure.BLIND: BLIND_FIRST,
    Figure.CONTRADICTIONS: CONTRADICTIONS_FIRST,
    Figure.TOO_FAST: TOO_FAST_FIRST,
}


def is_beyond(figure: str, low: float, high: float, threshold: float) -> bool:
    """Return whether even the better bound of the interval is beyond the threshold."""
    return high < threshold if figure in ACCURACIES else low > threshold
