"""What quality control deletes together with a study, what keeps an import or a study, and which batches lots keep.

A study with answers is not deleted, so its lots are drafts.
"""

from django.db.models import Q
from django.utils.translation import gettext_noop

from importing.removal.work import CONTROLS, GIVEN
from qc.models import (
    AskedForMore,
    CalibrationAnswer,
    CalibrationItem,
    CalibrationSession,
    CalibrationSitting,
    ChartFile,
    Control,
    ControlsRun,
    FindingsRun,
    FrameItem,
    Lot,
    LotBatch,
    Pause,
    PauseJudgement,
    PauseRule,
    QualityFigures,
    Review,
    ReviewAnswer,
    ReviewExposure,
    SecondBlind,
    StudyCounts,
    StudyFigures,
    StudyRules,
    SuspendedAnswer,
    Suspension,
    UndoneJudgement,
)
from studies.deletion import Rows, delete_rows
from studies.models import Study


def delete_own_rows(study: Study) -> int:
    """Delete the study's figures, controls, rules, calibrations, suspensions, pauses and lots. Return how many rows."""
    figures = [Rows(ChartFile), Rows(StudyFigures), Rows(StudyCounts), Rows(QualityFigures)]
    rules = [Rows(Control), Rows(ControlsRun), Rows(FindingsRun), Rows(StudyRules)]
    pauses = [Rows(Pause), Rows(UndoneJudgement), Rows(PauseJudgement), Rows(PauseRule)]
    people = [Rows(SuspendedAnswer), Rows(Suspension)]
    calibration = [Rows(CalibrationItem), Rows(CalibrationSession)]
    return delete_rows(study, [*figures, *pauses, *rules, *people, *calibration, Rows(LotBatch), Rows(Lot)])


IN_CALIBRATION = gettext_noop(
    "A calibration session has one of its pairs, so nothing was removed. Take the pair out of the session, or hold the "
    "pairs of this import instead."
)
#: Tables whose rows show that somebody was shown a pair, or judged an answer to one.
OF_PEOPLE = (
    *(CalibrationSitting, CalibrationAnswer, Review, ReviewAnswer, ReviewExposure),
    *(FrameItem, SecondBlind, AskedForMore),
)


def reasons_to_keep() -> dict[str, str]:
    """Return why rows of quality control keep an import or a study, by the name of their table."""
    given = dict.fromkeys((model._meta.db_table for model in OF_PEOPLE), GIVEN)
    return given | {CalibrationItem._meta.db_table: IN_CALIBRATION, Control._meta.db_table: CONTROLS}


def batches_in_lots() -> Q:
    """Return the condition for batches that are in a lot. They stay even without pairs."""
    return Q(pk__in=LotBatch.objects.values("batch"))
