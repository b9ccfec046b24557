"""What releases delete together with a study, and what keeps an import.

A study with answers is not deleted, so no release of it has items.
"""

from django.utils.translation import gettext_noop

from releases.models import AutomaticReleases, Release, ReleaseFamily, Withdrawal
from studies.deletion import Rows, delete_rows
from studies.models import Study


def delete_own_rows(study: Study) -> int:
    """Delete the study's releases. Return how many rows."""
    return delete_rows(study, [Rows(AutomaticReleases), Rows(Withdrawal), Rows(Release), Rows(ReleaseFamily)])


WITHDRAWN = gettext_noop(
    "One of its videos was withdrawn from releases, so nothing was removed: the withdrawal is kept. You can hold its "
    "pairs instead."
)


def reasons_to_keep() -> dict[str, str]:
    """Return why rows of releases keep an import, by the name of their table."""
    return {Withdrawal._meta.db_table: WITHDRAWN}
