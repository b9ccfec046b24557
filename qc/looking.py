"""The look-here queue: answers of a lot that deserve a look, the most suspicious ones first (`qc/suspicion.py`).

It finds defects, and never enters a rate: what it chooses is no random sample. Each review keeps why its answer was
chosen (`Review.look_reasons`). The reviewer reads it after the verdict, because it would influence them before.

`RANK` and `REASONS` are parts of the statements of `qc/due.py`, with its rows `item`, `assignment` and `pair`.
"""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from qc import suspicion
from qc.findings.rules import RULES
from qc.models import Review
from qc.models.reviews import Kind

DISAGREEMENT, NEVER_REVIEWED = "disagreement", "never_reviewed"
#: On how many questions the answers to a pair differ, so that the pair deserves a look. Honest people often differ on
#: one.
MANY = 2

_FINDINGS = """
  FROM qc_finding finding
 WHERE finding.assignment_id = item.assignment_id AND finding.ended_at IS NULL AND finding.dismissed_at IS NULL
"""
#: 0 with a serious finding, 1 with a warning, null without either. One look into an index for each answer.
FOUND = f"(SELECT min(CASE finding.severity WHEN 'serious' THEN 0 WHEN 'warning' THEN 1 END) {_FINDINGS})"
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
#: Nothing of the annotator was reviewed in this lot. The list of people is made once a statement.
_NEVER_REVIEWED = """(assignment.person_id NOT IN (
    SELECT theirs.person_id FROM qc_review other JOIN qc_frameitem its ON its.id = other.item_id
      JOIN annotation_assignment theirs ON theirs.id = its.assignment_id
     WHERE other.lot_id = %(lot)s AND other.state = 'submitted'))"""

#: Points of what is known when the queue is read, like those of `FrameItem.suspicion`. A serious finding comes before
#: everything else.
SERIOUS_POINTS, WARNING_POINTS, DISAGREEMENT_POINTS, NEW_PERSON_POINTS = 1_000, 6, 5, 1
#: The lowest comes first: the points with a minus.
RANK = f"""(- item.suspicion
    - CASE {FOUND} WHEN 0 THEN {SERIOUS_POINTS} WHEN 1 THEN {WARNING_POINTS} ELSE 0 END
    - CASE WHEN {_DISAGREEMENT} THEN {DISAGREEMENT_POINTS} ELSE 0 END
    - CASE WHEN {_NEVER_REVIEWED} THEN {NEW_PERSON_POINTS} ELSE 0 END)"""
#: All that is true of an item, as an array: codes of rules, and the codes above.
REASONS = f"""(
    ARRAY(SELECT finding.rule {_FINDINGS} AND finding.severity <> 'note' ORDER BY finding.severity, finding.rule)
    || item.signals
    || CASE WHEN {_DISAGREEMENT} THEN ARRAY['{DISAGREEMENT}'::varchar] ELSE '{{}}' END
    || CASE WHEN {_NEVER_REVIEWED} THEN ARRAY['{NEVER_REVIEWED}'::varchar] ELSE '{{}}' END)"""

#: Reasons that concern one answer only, and say nothing about the other answers to its pair.
ALONE = frozenset({*RULES, *suspicion.WORTH_SAYING})
_WORDS: dict[str, str | Promise] = {
    DISAGREEMENT: _("The answers to this pair differ on several questions"),
    NEVER_REVIEWED: _("Nothing of this annotator was reviewed in this lot yet"),
    suspicion.AGAINST_PARTS: _("The overall choice goes against the choices on single questions"),
    suspicion.FAVOURED_SIDE: _("The choices are on the side that this annotator takes more often"),
    suspicion.OFTEN_FAST: _("More answers of this annotator than of others have findings"),
    suspicion.EARLIER_DEFECTS: _("This annotator had more defects than others in earlier lots"),
}


def chosen(items: list[tuple[int, bool, list[str]]]) -> list[tuple[int, bool, list[str]]]:
    """Return those of a pair's items that a look is spent on: those that look suspicious themselves, or else all.

    The other answers to the pair are no more suspicious than most, so they come later, when it is their turn. Each item
    comes with whether its review is blind, and with its reasons.
    """
    suspicious = [item for item in items if any(reason in ALONE for reason in item[2])]
    return suspicious or items


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
