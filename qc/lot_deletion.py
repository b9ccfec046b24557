"""What lots delete together with a study, and which batches they keep. A study with frozen answers is not deleted."""

from django.db.models import Q

from qc.models import Lot, LotBatch
from studies.deletion import Rows, delete_rows
from studies.models import Study


def delete_lots(study: Study) -> int:
    """Delete the study's lots, all of which are drafts: others have frozen answers. Return how many rows."""
    return delete_rows(study, [Rows(LotBatch), Rows(Lot)])


def batches_in_lots() -> Q:
    """Return the condition for batches that are in a lot. They stay even without pairs."""
    return Q(pk__in=LotBatch.objects.values("batch"))
