"""Annotations as JSON Lines: one line for each revision, without averages.

PostgreSQL writes the lines itself, so that no row passes through Python: 100,000 lines take seconds.
"""

from typing import Any

from annotation.models import Assignment
from catalog.models.pairs import QUARANTINED
from diptych.downloads import CopyFile, copy_rows
from exports import records
from studies.models import Study
from studies.pseudonyms import pseudonym

#: The study's revisions in the order in which they were written, without pairs in quarantine.
STATEMENT = f"""
SELECT {records.LINE}{records.ROWS}{records.PRESENT}
 WHERE annotation.study_id = %(study)s AND pair.held <> %(quarantined)s
 ORDER BY annotation.id
"""
#: JSON has no raw control characters. With these two as delimiter and quote, COPY leaves each line unchanged.
AS_IT_IS = r"FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02'"


def copy(study: Study, target: CopyFile) -> None:
    """Write the study's annotation revisions to the file as JSON Lines.

    Each line is valid by `exports/schemas/annotation.schema.json`. Raise DatabaseError or OSError on failure.
    """
    values = {"study": study.pk, "slug": study.slug, "quarantined": QUARANTINED, **pseudonyms(study)}
    copy_rows(STATEMENT, values, AS_IT_IS, target)


def pseudonyms(study: Study) -> dict[str, list[Any]]:
    """Return as `people` everybody who was given pairs of the study, and as `pseudonyms` their codes in that order."""
    people = Assignment.objects.filter(study=study).order_by().values_list("person_id", flat=True).distinct()
    names = {person: pseudonym(study, person) for person in people}
    return {"people": list(names), "pseudonyms": list(names.values())}
