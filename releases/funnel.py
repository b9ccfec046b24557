"""The funnel: every submitted answer of a study, the stage at which a filter leaves it out, and why.

submitted → usable → valid → counted → reviewed → released. An answer is left out at the first stage that it does not
pass, for one reason. So the numbers of the reasons and of the released answers add up to the submitted ones.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from annotation.models import Assignment
from diptych.refusals import Refused
from releases import review_rows
from releases.filters import Filter
from studies.models import Study

STAGES = ("submitted", "usable", "valid", "counted", "reviewed", "released")

#: Of an answer: the stage at which it is left out, or 'released', and the reason.
OUTCOME = """
CASE WHEN pair.kind = 'control' THEN ARRAY['usable', 'control']
     WHEN pair.held = 'quarantined' THEN ARRAY['usable', 'quarantined']
     WHEN pair.held <> '' THEN ARRAY['usable', 'held']
     WHEN EXISTS (SELECT FROM releases_withdrawal withdrawn
                   WHERE withdrawn.study_id = %(study)s
                     AND (withdrawn.assignment_id = assignment.id OR withdrawn.person_id = assignment.person_id
                          OR withdrawn.video_id IN (pair.video_0_id, pair.video_1_id)))
     THEN ARRAY['usable', 'withdrawn']
     WHEN standing.validity <> 'valid' THEN ARRAY['valid', standing.reason]
     WHEN NOT standing.counted THEN ARRAY['counted', standing.uncounted_reason]
     WHEN coalesce(lot.state, 'none') <> ALL (%(decisions)s::text[])
     THEN ARRAY['reviewed', CASE coalesce(lot.state, 'none') WHEN 'none' THEN 'no_lot'
                                 ELSE 'lot_' || lot.state END]
     WHEN cardinality(%(lots)s::integer[]) > 0 AND coalesce(lot.number, 0) <> ALL (%(lots)s::integer[])
     THEN ARRAY['reviewed', 'other_lot']
     WHEN %(reviewed)s <> 'any' AND verdicts.ids IS NULL THEN ARRAY['reviewed', 'not_reviewed']
     WHEN %(reviewed)s = 'without_defect' AND verdicts.has_defect THEN ARRAY['reviewed', 'defect']
     WHEN not_chosen.reason <> '' THEN ARRAY['released', not_chosen.reason]
     ELSE ARRAY['released', ''] END"""
#: Why the filter leaves an answer out, whatever review says of it; empty if it does not.
NOT_CHOSEN = """
SELECT CASE WHEN %(since)s::date IS NOT NULL AND present.submitted_at AT TIME ZONE 'UTC' < %(since)s::date
              OR %(until)s::date IS NOT NULL AND present.submitted_at AT TIME ZONE 'UTC' >= %(until)s::date + 1
            THEN 'dates'
            WHEN cardinality(%(languages)s::text[]) > 0 AND prompt.language <> ALL (%(languages)s::text[])
            THEN 'language'
            WHEN cardinality(%(prompt_types)s::text[]) > 0 AND prompt.prompt_type <> ALL (%(prompt_types)s::text[])
            THEN 'prompt_type'
            WHEN cardinality(%(protocol_versions)s::integer[]) > 0
                 AND present.protocol_version <> ALL (%(protocol_versions)s::integer[])
            THEN 'protocol_version' ELSE '' END AS reason"""
#: Common table expressions. `judged` has one row for each submitted answer: where it ends in the funnel.
JUDGED = f"""
lots AS MATERIALIZED ({review_rows.LAST_LOT}),
verdicts AS MATERIALIZED ({review_rows.VERDICTS_ON}),
judged AS MATERIALIZED (
  SELECT assignment.id AS assignment_id, ends.outcome[1] AS stage, ends.outcome[2] AS reason,
         not_chosen.reason = '' AS chosen, lot.number AS lot, lot.state AS lot_state
    FROM annotation_standing standing
    JOIN annotation_assignment assignment ON assignment.id = standing.assignment_id
    JOIN unnest(%(people)s::bigint[]) AS known (id) ON known.id = assignment.person_id
    JOIN annotation_annotation present ON present.id = standing.current_id
    JOIN catalog_pair pair ON pair.id = assignment.pair_id
    JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
    LEFT JOIN lots lot ON lot.assignment_id = assignment.id
    LEFT JOIN verdicts ON verdicts.annotation_id = standing.current_id
   CROSS JOIN LATERAL ({NOT_CHOSEN}) not_chosen
   CROSS JOIN LATERAL (SELECT {OUTCOME} AS outcome) ends
   WHERE standing.study_id = %(study)s)"""  # noqa: S608 - of names in this module
PREVIEW = f"WITH {JUDGED} SELECT stage, reason, count(*) FROM judged GROUP BY stage, reason"  # noqa: S608


class Stage(NamedTuple):
    """One stage: how many answers passed it, and how many were left out at it, by reason."""

    name: str
    passed: int
    left_out: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return the stage as the manifest states it."""
        return {"stage": self.name, "answers": self.passed, "left_out": self.left_out}


def values(study: Study, wanted: Filter) -> dict[str, Any]:
    """Return the parameters of `JUDGED`.

    Somebody who takes their first pair after this is in no statement with these parameters, so that each answer that is
    counted also has a code.
    """
    people = Assignment.objects.filter(study=study).order_by().values_list("person_id", flat=True).distinct()
    given = wanted.as_json() | {"since": wanted.since, "until": wanted.until}
    return given | {"study": study.pk, "people": list(people)}


def preview(study: Study, wanted: Filter) -> list[Stage]:
    """Return the funnel of a release that would be made now with this filter. Raise DatabaseError."""
    with connection.cursor() as cursor:
        cursor.execute(PREVIEW, values(study, wanted))
        return stages(cursor.fetchall())


def stages(counted: Iterable[tuple[str, str, int]]) -> list[Stage]:
    """Return the stages in order from numbers of answers by the stage and the reason at which each is left out."""
    left_out: dict[str, dict[str, int]] = {name: {} for name in STAGES}
    passed = 0
    for stage, reason, number in sorted(counted):
        if reason:
            left_out[stage][reason] = number
        else:
            passed = number
    found = []
    for name in reversed(STAGES):
        found.append(Stage(name, passed, left_out[name]))
        passed += sum(left_out[name].values())
    return found[::-1]


#: What to say of a release that would be empty, by the first stage that no answer passed.
NOTHING_LEFT = {
    "submitted": gettext_noop("Nobody has submitted an answer in this study yet."),
    "usable": gettext_noop(
        "No answer is left: all are on controls, on held or quarantined pairs, or were withdrawn from releases."
    ),
    "valid": gettext_noop("No answer is left: none of the usable answers is valid."),
    "counted": gettext_noop("No answer is left: none of the valid answers counts."),
    "reviewed": gettext_noop(
        "No answer is left: none of the counted answers is in the chosen lots with the chosen review. By default only "
        "accepted lots are released."
    ),
    "released": gettext_noop(
        "No answer is left: none of the reviewed answers has the chosen days, languages, prompt types and protocol "
        "versions."
    ),
}


class NothingLeft(Refused):
    """The release would be empty. Workers write the sentence in English, and pages translate it."""

    code = "nothing_left"


def refuse_empty(found: Iterable[Stage]) -> None:
    """Raise NothingLeft with the stage that left nothing, if the last stage has no answers."""
    for stage in found:
        if not stage.passed:
            raise NothingLeft(_(NOTHING_LEFT[stage.name]))
