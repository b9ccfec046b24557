"""The look-here queue: answers of a lot that deserve a look, the most suspicious ones first (`qc/suspicion.py`).

It finds defects, and never enters a rate: what it chooses is no random sample. Each review keeps why its answer was
chosen (`Review.look_reasons`). The reviewer reads it after the verdict, because it would influence them before.

The queue is an index: each frozen answer has its rank (`FrameItem.look_rank`: its points with a minus), written when
the frame is frozen. It is written again when findings or reviews change it, never when somebody leases.

`REASONS` and `POINTS` are parts of statements with the rows `item`, `assignment` and `pair`.
"""

from collections.abc import Collection, Iterable
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from diptych.database.fixed import change
from findings.rules import RULES
from qc import suspicion
from qc.models import Lot, Review
from qc.models.reviews import Kind

DISAGREEMENT, NEVER_REVIEWED = "disagreement", "never_reviewed"
#: On how many questions the answers to a pair differ, so that the pair deserves a look. Honest people often differ on
#: one.
MANY = 2

_FINDINGS = """
  FROM findings_finding finding
 WHERE finding.assignment_id = assignment.id AND finding.ended_at IS NULL AND finding.dismissed_at IS NULL
"""
#: The answers that count differ on both preferences, or on one and on what is safe, and so on. A pair that wants one
#: answer has nothing to compare, which is most pairs of most studies.
_DISAGREEMENT = f"""(pair.wanted > 1 AND {MANY} <= (
    SELECT (count(DISTINCT now_.helpfulness) > 1)::int + (count(DISTINCT now_.harmlessness) > 1)::int
           + (count(DISTINCT now_.tags_video_0 = '{{}}') > 1)::int
           + (count(DISTINCT now_.tags_video_1 = '{{}}') > 1)::int
      FROM annotation_assignment theirs
      JOIN annotation_standing stands ON stands.assignment_id = theirs.id AND stands.counted
      JOIN annotation_annotation now_ ON now_.id = stands.current_id
     WHERE theirs.pair_id = assignment.pair_id))"""  # noqa: S608 - of constants
#: Nothing of the annotator was reviewed in this lot. The search goes through the lot's reviews and ends at the first of
#: theirs. `OFFSET 0` keeps it from beginning with everything that the person has ever answered.
_NEVER_REVIEWED = """(NOT EXISTS (
    SELECT FROM (SELECT its.assignment_id FROM qc_review other JOIN qc_frameitem its ON its.id = other.item_id
                  WHERE other.lot_id = %(lot)s AND other.state = 'submitted' OFFSET 0) reviewed
      JOIN annotation_assignment theirs ON theirs.id = reviewed.assignment_id
     WHERE theirs.person_id = assignment.person_id OFFSET 0))"""

#: Points of what may change while the lot is in review. They are added to those of `FrameItem.suspicion`. A serious
#: finding comes before everything else.
SERIOUS_POINTS, WARNING_POINTS, DISAGREEMENT_POINTS, NEW_PERSON_POINTS = 1_000, 6, 5, 1
#: All points of an answer but those for its person. One look into an index for each answer.
POINTS = f"""(item.suspicion
    + coalesce((SELECT max(CASE finding.severity WHEN 'serious' THEN {SERIOUS_POINTS}
                                                 WHEN 'warning' THEN {WARNING_POINTS} ELSE 0 END) {_FINDINGS}), 0)
    + CASE WHEN {_DISAGREEMENT} THEN {DISAGREEMENT_POINTS} ELSE 0 END)"""
#: All that is true of an item, as an array: codes of rules, and the codes above.
REASONS = f"""(
    ARRAY(SELECT finding.rule {_FINDINGS} AND finding.severity <> 'note' ORDER BY finding.severity, finding.rule)
    || item.signals
    || CASE WHEN {_DISAGREEMENT} THEN ARRAY['{DISAGREEMENT}'::varchar] ELSE '{{}}' END
    || CASE WHEN {_NEVER_REVIEWED} THEN ARRAY['{NEVER_REVIEWED}'::varchar] ELSE '{{}}' END)"""
#: Whether `reasons` has a code of a rule.
FOUND = f"NOT reasons <@ ARRAY['{DISAGREEMENT}', '{NEVER_REVIEWED}']::varchar[]"
#: Rank all answers of a lot whose frame was just frozen. Nothing of anybody is reviewed yet, so the first answer of
#: each person stands for the others.
RANK_ALL = f"""
UPDATE qc_frameitem frozen
   SET stands_for_person = is_first, look_rank = - points - CASE WHEN is_first THEN {NEW_PERSON_POINTS} ELSE 0 END
  FROM (SELECT id, points, row_number() OVER (PARTITION BY person_id ORDER BY points DESC, place) = 1 AS is_first
          FROM (SELECT item.id, item.place, assignment.person_id, {POINTS} AS points
                  FROM qc_frameitem item
                  JOIN annotation_assignment assignment ON assignment.id = item.assignment_id
                  JOIN catalog_pair pair ON pair.id = assignment.pair_id
                 WHERE item.lot_id = %(lot)s OFFSET 0) answer) ranked
 WHERE frozen.id = ranked.id
"""  # noqa: S608 - of constants
#: Rank these answers again, in lots in review. What was reviewed has no rank.
RANK_AGAIN = f"""
UPDATE qc_frameitem frozen
   SET look_rank = - points - CASE WHEN frozen.stands_for_person THEN {NEW_PERSON_POINTS} ELSE 0 END
  FROM (SELECT item.id, {POINTS} AS points
          FROM qc_frameitem item JOIN qc_lot lot ON lot.id = item.lot_id
          JOIN annotation_assignment assignment ON assignment.id = item.assignment_id
          JOIN catalog_pair pair ON pair.id = assignment.pair_id
         WHERE item.assignment_id = ANY(%(assignments)s) AND lot.state = 'in_review' OFFSET 0) ranked
 WHERE frozen.id = ranked.id
   AND frozen.look_rank <> - points - CASE WHEN frozen.stands_for_person THEN {NEW_PERSON_POINTS} ELSE 0 END
"""  # noqa: S608 - of constants
#: The people of a reviewed sitting are no longer unknown in this lot.
KNOWN = f"""
UPDATE qc_frameitem item SET look_rank = item.look_rank + {NEW_PERSON_POINTS}, stands_for_person = false
  FROM annotation_assignment assignment
 WHERE item.lot_id = %(lot)s AND item.stands_for_person
   AND assignment.id = item.assignment_id AND assignment.person_id = ANY(%(people)s)
"""  # noqa: S608 - of constants

_WORDS: dict[str, str | Promise] = {
    DISAGREEMENT: _("The answers to this pair differ on several questions"),
    NEVER_REVIEWED: _("Nothing of this annotator was reviewed in this lot yet"),
    suspicion.AGAINST_PARTS: _("The overall choice goes against the choices on single questions"),
    suspicion.FAVOURED_SIDE: _("The choices are on the side that this annotator takes more often"),
    suspicion.OFTEN_FAST: _("More answers of this annotator than of others have findings"),
    suspicion.EARLIER_DEFECTS: _("This annotator had more defects than others in earlier lots"),
}


def rank(lot: Lot) -> None:
    """Rank the answers of a locked lot whose frame was just frozen and rated (`suspicion.rate`)."""
    change(RANK_ALL, {"lot": lot.pk})


def rank_again(assignments: Iterable[int]) -> int:
    """Rank these answers again in lots in review, because their findings have changed. Return how many moved."""
    return change(RANK_AGAIN, {"assignments": list(assignments)})


def follow_findings(*, assignments: Collection[int], **_arguments: Any) -> None:
    """Receive `findings_changed`: rank the answers again."""
    rank_again(assignments)


def note_reviewed(reviews: Collection[Review]) -> None:
    """Let the people of a submitted sitting no longer wait as unknown. Call it in the transaction that submits it."""
    people = {one.item.assignment.person_id for one in reviews}
    for lot in {one.lot_id for one in reviews}:
        change(KNOWN, {"lot": lot, "people": list(people)})


def words_of(review: Review) -> list[str]:
    """Return why the queue chose the answers of a submitted sitting, for its reviewer. Other kinds return nothing."""
    if review.kind != Kind.LOOK:
        return []
    sitting = Review.objects.filter(sitting=review.sitting, state=Review.State.SUBMITTED).order_by("item__place")
    reasons = list(sitting.values_list("look_reasons", flat=True))
    return in_words(code for found in reasons for code in found) if reasons else []


def in_words(reasons: Iterable[str]) -> list[str]:
    """Return reasons as texts for the page, in their order, each once. Without a reason, it was the lot's turn."""
    found = [str(RULES[code].label if code in RULES else _WORDS[code]) for code in dict.fromkeys(reasons)]
    return found or [str(_("None: it was next in the random order"))]
