"""The look-here queue: answers of a lot that deserve a look, the most suspicious ones first.

It finds defects, and never enters a rate: what it chooses is no random sample. Each review keeps why its answer was
chosen (`Review.look_reasons`). The reviewer reads it after the verdict, because it would influence them before.

The queue is an index: each frozen answer has its rank (`FrameItem.look_rank`), written when the frame is frozen. It is
written again when findings or reviews change it, never when somebody leases.

`REASONS` and `SUSPICION` are parts of statements with the rows `item`, `assignment` and `pair`.
"""

from collections.abc import Collection, Iterable
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from diptych.database.fixed import change
from qc.findings.rules import RULES
from qc.models import Review
from qc.models.due import NOTHING_SUSPICIOUS
from qc.models.reviews import Kind

DISAGREEMENT, NEVER_REVIEWED = "disagreement", "never_reviewed"
#: On how many questions the answers to a pair differ, so that the pair deserves a look. Honest people often differ on
#: one.
MANY = 2

#: Ranks, the lowest first. A person of whom nothing was reviewed waits with one answer only: it stands for the others.
SERIOUS, WARNING, DIFFERENT, UNKNOWN_PERSON, REST = 0, 1, 2, 3, NOTHING_SUSPICIOUS

_FINDINGS = """
  FROM qc_finding finding
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

#: The rank that the answer itself deserves, or null: serious findings, warnings, disagreement.
SUSPICION = f"""coalesce(
    (SELECT min(CASE finding.severity WHEN 'serious' THEN {SERIOUS} WHEN 'warning' THEN {WARNING} END) {_FINDINGS}),
    CASE WHEN {_DISAGREEMENT} THEN {DIFFERENT} END)"""
#: All that is true of an item, as an array: codes of rules, and the codes above.
REASONS = f"""(
    ARRAY(SELECT finding.rule {_FINDINGS} AND finding.severity <> 'note' ORDER BY finding.severity, finding.rule)
    || CASE WHEN {_DISAGREEMENT} THEN ARRAY['{DISAGREEMENT}'::varchar] ELSE '{{}}' END
    || CASE WHEN {_NEVER_REVIEWED} THEN ARRAY['{NEVER_REVIEWED}'::varchar] ELSE '{{}}' END)"""
#: Whether `reasons` has a code of a rule.
FOUND = f"NOT reasons <@ ARRAY['{DISAGREEMENT}', '{NEVER_REVIEWED}']::varchar[]"
#: Rank these answers again, in lots in review. Whoever is still unknown keeps their place.
RANKED = f"""
UPDATE qc_frameitem frozen SET look_rank = ranked.rank
  FROM (SELECT item.id, coalesce({SUSPICION}, CASE item.look_rank WHEN {UNKNOWN_PERSON} THEN {UNKNOWN_PERSON}
               ELSE {REST} END) AS rank
          FROM qc_frameitem item JOIN qc_lot lot ON lot.id = item.lot_id
          JOIN annotation_assignment assignment ON assignment.id = item.assignment_id
          JOIN catalog_pair pair ON pair.id = assignment.pair_id
         WHERE item.assignment_id = ANY(%(assignments)s) AND lot.state = 'in_review') ranked
 WHERE frozen.id = ranked.id AND frozen.look_rank <> ranked.rank
"""  # noqa: S608 - of constants
#: The people of a reviewed sitting are no longer unknown in this lot.
KNOWN = f"""
UPDATE qc_frameitem item SET look_rank = {REST}
  FROM annotation_assignment assignment
 WHERE item.lot_id = %(lot)s AND item.look_rank = {UNKNOWN_PERSON}
   AND assignment.id = item.assignment_id AND assignment.person_id = ANY(%(people)s)
"""  # noqa: S608 - of constants

_WORDS: dict[str, str | Promise] = {
    DISAGREEMENT: _("The answers to this pair differ on several questions"),
    NEVER_REVIEWED: _("Nothing of this annotator was reviewed in this lot yet"),
}


def rank_again(assignments: Iterable[int]) -> int:
    """Rank these answers again in lots in review, because their findings have changed. Return how many moved."""
    return change(RANKED, {"assignments": list(assignments)})


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
