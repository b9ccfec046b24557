"""What annotation does when somebody's role is taken away, inside the same transaction."""

from typing import Any

from accounts.models import User
from annotation import serving
from annotation.models import Assignment, Seat
from annotation.seats import take_seat
from studies.models import Study
from studies.permissions import MAY_ANNOTATE


def give_back_leases(*, study: Study, person: User, role: str, **_: Any) -> None:
    """Who no longer annotates holds nothing: their leases go back to the queue, their drafts and answers stay.

    In the order of the pairs, as everybody does who waits for one while holding another.
    """
    if role not in MAY_ANNOTATE or not Seat.objects.filter(study=study, person=person).exists():
        return
    take_seat(person, study)  # a request of theirs that is under way ends first
    held = Assignment.objects.filter(study=study, person=person, state=Assignment.State.LEASED)
    for assignment in held.select_related("study").order_by("pair_id"):
        serving.release(assignment, person)
