"""Skips as JSON Lines: pairs that could not be answered, with the reason and the person's note.

Only reasons that say something about the pair are exported. Why a person did not want to see a pair is in no file.
"""

from annotation.skipping import ABOUT_THE_PAIR
from catalog.models.pairs import QUARANTINED
from diptych.downloads import CopyFile, copy_rows
from exports.annotations import AS_IT_IS, pseudonyms
from exports.records import json_object, moment
from studies.models import Study

#: The fields of a line, with the SQL that reads them. The published schema describes each.
FIELDS = {
    "study": "%(slug)s::text",
    "pair_id": "pair.public_id",
    "prompt_id": "prompt.public_id",
    "batch": "batch.number",
    "annotator_id": "person.pseudonym",
    "round": "assignment.round",
    "reason": "assignment.skip_reason",
    "note": "assignment.skip_note",
    "protocol_version": "assignment.protocol_version",
    "guideline_version": "assignment.guideline_version",
    "skipped_at": moment("assignment.ended_at"),
}
STATEMENT = f"""
SELECT {json_object(**FIELDS)}
  FROM annotation_assignment assignment
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
  JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
  JOIN catalog_batch batch ON batch.id = pair.batch_id
  JOIN unnest(%(people)s::bigint[], %(pseudonyms)s::text[]) AS person (id, pseudonym)
    ON person.id = assignment.person_id
 WHERE assignment.study_id = %(study)s AND assignment.state = 'skipped'
   AND assignment.skip_reason = ANY(%(reasons)s) AND pair.held <> %(quarantined)s
 ORDER BY assignment.ended_at, assignment.id
"""  # noqa: S608 - of constants


def copy(study: Study, target: CopyFile) -> None:
    """Write the study's skips to the file as JSON Lines.

    Each line is valid by `exports/schemas/skip.schema.json`. Raise DatabaseError or OSError on failure.
    """
    values = {
        "study": study.pk,
        "slug": study.slug,
        "quarantined": QUARANTINED,
        "reasons": list(ABOUT_THE_PAIR),
        **pseudonyms(study),
    }
    copy_rows(STATEMENT, values, AS_IT_IS, target)
