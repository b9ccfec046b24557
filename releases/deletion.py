"""What releases delete together with a study. A study with answers is not deleted, so no release of it has items."""

from releases.models import Release, ReleaseFamily, Withdrawal
from studies.deletion import Rows, delete_rows
from studies.models import Study


def delete_own_rows(study: Study) -> int:
    """Delete the study's releases. Return how many rows."""
    return delete_rows(study, [Rows(Withdrawal), Rows(Release), Rows(ReleaseFamily)])
