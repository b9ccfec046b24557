"""What annotation deletes together with a study: seats and breaks. A study with assignments cannot be deleted."""

from django.db.models.functions import Now

from accounts.models import Consent
from annotation.consent import document_of
from annotation.models import Break, Seat
from studies.deletion import Rows, delete_rows
from studies.models import Study


def delete_seats(study: Study) -> int:
    """Delete seats and breaks, and end the consents, so that a later study with this address asks for them again."""
    Consent.objects.filter(document=document_of(study), withdrawn_at=None).update(withdrawn_at=Now())
    return delete_rows(study, [Rows(Break), Rows(Seat)])
