"""What quality control deletes together with a study, and which batches its lots keep.

A study with answers is not deleted, so its lots are drafts.
"""

from django.db.models import Q

from qc.models import CalibrationItem, CalibrationSession, FindingsRun, Lot, LotBatch, QualityFigures, StudyRules
from studies.deletion import Rows, delete_rows
from studies.models import Study


def delete_own_rows(study: Study) -> int:
    """Delete the rules of the study, their runs, figures, and lots. Return how many rows."""
    return delete_rows(
        study,
        [
            Rows(FindingsRun),
            Rows(StudyRules),
            Rows(QualityFigures),
            Rows(CalibrationItem),
            Rows(CalibrationSession),
            Rows(LotBatch),
            Rows(Lot),
        ],
    )


def batches_in_lots() -> Q:
    """Return the condition for batches that are in a lot. They stay even without pairs."""
    return Q(pk__in=LotBatch.objects.values("batch"))
