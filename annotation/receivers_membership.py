"""Receiver for a removed role. It runs in the same transaction."""

from typing import Any

from accounts.models import User
from annotation import serving
from annotation.models import Assignment, Seat
from annotation.seats import locked_seat
from studies.models import Study
from studies.permissions import MAY_ANNOTATE


def release_leases(*, study: Study, person: User, role: str, **_: Any) -> None:
    """Release the leases of a person who is no longer an annotator. Their drafts and answers are kept.

    The leases are released in the order of their pairs, so that two transactions never wait for each other.
    """
    if role not in MAY_ANNOTATE or not Seat.objects.filter(study=study, person=person).exists():
        return
    locked_seat(person, study)  # wait for the person's current request to end
    leased = Assignment.objects.filter(study=study, person=person, state=Assignment.State.LEASED)
    for assignment in leased.select_related("study").order_by("pair_id"):
        serving.release(assignment, person)
