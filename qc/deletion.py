"""What quality control deletes together with a study: its rules and their runs. A study with answers is not deleted."""

from qc.models import FindingsRun, StudyRules
from studies.deletion import Rows, delete_rows
from studies.models import Study


def delete_rules(study: Study) -> int:
    """Delete the rules of the study and their runs. Return how many rows."""
    return delete_rows(study, [Rows(FindingsRun), Rows(StudyRules)])
