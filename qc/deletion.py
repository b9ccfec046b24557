"""What quality control deletes together with a study: its rules and their runs, and lots.

A study with answers is not deleted, so its lots are drafts.
"""

from qc.models import FindingsRun, Lot, LotBatch, StudyRules
from studies.deletion import Rows, delete_rows
from studies.models import Study


def delete_own_rows(study: Study) -> int:
    """Delete the rules of the study, their runs, and lots. Return how many rows."""
    return delete_rows(study, [Rows(FindingsRun), Rows(StudyRules), Rows(LotBatch), Rows(Lot)])
