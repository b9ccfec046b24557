"""What annotation deletes together with a study: seats and breaks. A study with assignments cannot be deleted."""

from annotation.models import Break, Seat
from studies.deletion import Rows, delete_rows
from studies.models import Study


def delete_seats(study: Study) -> int:
    """Delete seats and breaks. Return how many."""
    return delete_rows(study, [Rows(Break), Rows(Seat)])
