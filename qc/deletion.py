"""What quality control deletes together with a study, and which batches its lots keep.

A study with answers is not deleted, so its lots are drafts.
"""

from django.db.models import Q

from qc.models import (
    Control,
    ControlsRun,
    FindingsRun,
    Lot,
    LotBatch,
    Pause,
    PauseJudgement,
    PauseRule,
    StudyRules,
    SuspendedAnswer,
    Suspension,
)
from studies.deletion import Rows, delete_rows
from studies.models import Study


def delete_own_rows(study: Study) -> int:
    """Delete the study's controls, rules, their runs, suspensions, pauses and lots. Return how many rows."""
    rules = [Rows(Control), Rows(ControlsRun), Rows(FindingsRun), Rows(StudyRules)]
    people = [Rows(SuspendedAnswer), Rows(Suspension), Rows(Pause), Rows(PauseJudgement), Rows(PauseRule)]
    return delete_rows(study, [*rules, *people, Rows(LotBatch), Rows(Lot)])


def batches_in_lots() -> Q:
    """Return the condition for batches that are in a lot. They stay even without pairs."""
    return Q(pk__in=LotBatch.objects.values("batch"))
