"""The platform's own JSONL: one line an annotation revision, nothing averaged away.

PostgreSQL writes the lines itself: 100,000 of them take seconds, and no row passes through Python.
"""

from typing import Any

from annotation.models import Assignment
from catalog.models.pairs import QUARANTINED
from diptych.downloads import CopyFile, copy_rows
from exports import records
from studies.models import Study
from studies.pseudonyms import pseudonym

#: The study's revisions in order of writing; none of a pair in quarantine.
STATEMENT = f"""
SELECT {records.LINE}{records.ROWS}{records.PRESENT}
 WHERE annotation.study_id = %(study)s AND pair.held <> %(quarantined)s
 ORDER BY annotation.id
"""
#: JSON has no raw control characters, so with these two nothing is quoted and each line is as it is.
AS_IT_IS = r"FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02'"


def copy(study: Study, target: CopyFile) -> None:
    """Copy the study's annotation revisions into the file as JSON Lines.

    Each line validates against `exports/schemas/annotation.schema.json`. Raises DatabaseError and OSError.
    """
    values = {"study": study.pk, "slug": study.slug, "quarantined": QUARANTINED, **pseudonyms(study)}
    copy_rows(STATEMENT, values, AS_IT_IS, target)


def pseudonyms(study: Study) -> dict[str, list[Any]]:
    """Return the `people` who were given pairs of the study, and their `pseudonyms` in the same order."""
    people = Assignment.objects.filter(study=study).order_by().values_list("person_id", flat=True).distinct()
    names = {person: pseudonym(study, person) for person in people}
    return {"people": list(names), "pseudonyms": list(names.values())}
