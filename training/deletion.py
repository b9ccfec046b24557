"""What training deletes together with a study. A study with answers is not deleted, so none of its runs is done."""

from studies.deletion import Rows, delete_rows
from studies.models import Study
from training.models import ModelFamily, Run, RunPoint, TrainingRule


def delete_own_rows(study: Study) -> int:
    """Delete the study's runs, rules and families. Return how many rows."""
    tables = [Rows(RunPoint, "run__study"), Rows(Run), Rows(TrainingRule), Rows(ModelFamily)]
    return delete_rows(study, tables)
