"""What calibration deletes together with a study, and what keeps an import or a study."""

from django.utils.translation import gettext_noop

from calibration.models import CalibrationAnswer, CalibrationItem, CalibrationSession, CalibrationSitting
from removal.work import GIVEN
from studies.deletion import Rows, delete_rows
from studies.models import Study

IN_CALIBRATION = gettext_noop(
    "A calibration session has one of its pairs, so nothing was removed. Take the pair out of the session, or hold the "
    "pairs of this import instead."
)


def delete_sessions(study: Study) -> int:
    """Delete the study's sessions that nobody took part in. Return how many rows."""
    return delete_rows(study, [Rows(CalibrationItem), Rows(CalibrationSession)])


def reasons_to_keep() -> dict[str, str]:
    """Return why rows of calibration keep an import or a study, by the name of their table."""
    given = dict.fromkeys((model._meta.db_table for model in (CalibrationSitting, CalibrationAnswer)), GIVEN)
    return given | {CalibrationItem._meta.db_table: IN_CALIBRATION}
