"""What lots delete together with a study, what keeps an import or a study, and which batches lots keep.

A study with answers is not deleted, so its lots are drafts.
"""

from django.db.models import Q

from qc.models import AskedForMore, FrameItem, Lot, LotBatch, Review, ReviewAnswer, ReviewExposure, SecondBlind
from removal.work import GIVEN
from studies.deletion import Rows, delete_rows
from studies.models import Study

#: Tables whose rows show that somebody was shown a pair, or judged an answer to one.
OF_PEOPLE = (Review, ReviewAnswer, ReviewExposure, FrameItem, SecondBlind, AskedForMore)


def delete_own_rows(study: Study) -> int:
    """Delete the study's lots. Return how many rows."""
    return delete_rows(study, [Rows(LotBatch), Rows(Lot)])


def reasons_to_keep() -> dict[str, str]:
    """Return why rows of lots and reviews keep an import or a study, by the name of their table."""
    return dict.fromkeys((model._meta.db_table for model in OF_PEOPLE), GIVEN)


def batches_in_lots() -> Q:
    """Return the condition for batches that are in a lot. They stay even without pairs."""
    return Q(pk__in=LotBatch.objects.values("batch"))
