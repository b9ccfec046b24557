"""What qualification deletes together with a study: trainings and tests that nobody has begun, and waivers.

A study in which somebody has begun cannot be deleted, because the foreign keys of their attempts refuse it.
"""

from qualification.models import ExpectedAnswer, PairSet, Qualification, SetItem
from studies.deletion import Rows, delete_rows
from studies.models import Study


def delete_sets(study: Study) -> int:
    """Delete the study's versions with their pairs and expected answers, and waivers. Return how many rows."""
    return delete_rows(study, [Rows(Qualification), Rows(ExpectedAnswer, "item__study"), Rows(SetItem), Rows(PairSet)])
