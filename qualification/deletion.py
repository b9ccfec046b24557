"""What qualification deletes together with a study: trainings and tests that nobody has begun, and waivers.

A study in which somebody has begun cannot be deleted, because the foreign keys of their attempts refuse it.
"""

from django.utils.translation import gettext_noop

from qualification.models import Attempt, ExpectedAnswer, PairSet, Qualification, SetItem, Turn
from removal.work import GIVEN
from studies.deletion import Rows, delete_rows
from studies.models import Study

IN_QUALIFICATION = gettext_noop(
    "One of its pairs is used in a qualification, so nothing was removed. You can hold its pairs or archive the study "
    "instead."
)


def reasons_to_keep() -> dict[str, str]:
    """Return why rows of qualification keep an import or a study, by the name of their table."""
    given = dict.fromkeys((model._meta.db_table for model in (Attempt, Turn)), GIVEN)
    return given | {SetItem._meta.db_table: IN_QUALIFICATION}


def delete_sets(study: Study) -> int:
    """Delete the study's versions with their pairs and expected answers, and waivers. Return how many rows."""
    return delete_rows(study, [Rows(Qualification), Rows(ExpectedAnswer, "item__study"), Rows(SetItem), Rows(PairSet)])
