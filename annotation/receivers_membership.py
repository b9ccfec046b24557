"""Receiver for a removed role. It runs in the same transaction."""

from typing import Any

from accounts.models import User
from annotation import serving
from annotation.models import Seat
from studies.models import Study
from studies.permissions import MAY_ANNOTATE


def release_leases(*, study: Study, person: User, role: str, **_: Any) -> None:
    """Release the leases of a person who is no longer an annotator. Their drafts and answers are kept."""
    if role not in MAY_ANNOTATE or not Seat.objects.filter(study=study, person=person).exists():
        return
    serving.release_all(person, study)
