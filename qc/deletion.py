"""What quality control deletes together with a study, and which batches its lots keep.

A study with answers is not deleted, so its lots are drafts.
"""

from django.db.models import Q

from qc.models import (
    CalibrationItem,
    CalibrationSession,
    ChartFile,
    Control,
    ControlsRun,
    FindingsRun,
    Lot,
    LotBatch,
    Pause,
    PauseJudgement,
    PauseRule,
    QualityFigures,
    StudyCounts,
    StudyFigures,
    StudyRules,
    SuspendedAnswer,
    Suspension,
)
from studies.deletion import Rows, delete_rows
from studies.models import Study


def delete_own_rows(study: Study) -> int:
    """Delete the study's figures, controls, rules, calibrations, suspensions, pauses and lots. Return how many rows."""
    figures = [Rows(ChartFile), Rows(StudyFigures), Rows(StudyCounts), Rows(QualityFigures)]
    rules = [Rows(Control), Rows(ControlsRun), Rows(FindingsRun), Rows(StudyRules)]
    people = [Rows(SuspendedAnswer), Rows(Suspension), Rows(Pause), Rows(PauseJudgement), Rows(PauseRule)]
    calibration = [Rows(CalibrationItem), Rows(CalibrationSession)]
    return delete_rows(study, [*figures, *rules, *people, *calibration, Rows(LotBatch), Rows(Lot)])


def batches_in_lots() -> Q:
    """Return the condition for batches that are in a lot. They stay even without pairs."""
    return Q(pk__in=LotBatch.objects.values("batch"))
