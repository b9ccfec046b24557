"""What of annotating is deleted with a study: the places of people who were given nothing. Assignments stay."""

from django.db.models.functions import Now

from accounts.models import Consent
from annotation.consent import document_of
from annotation.models import Break, Seat
from studies.deletion import Rows, delete_rows
from studies.models import Study


def delete_places(study: Study) -> int:
    """Delete seats and breaks, and end what people agreed to: a later study of this address asks them anew."""
    Consent.objects.filter(document=document_of(study), withdrawn_at=None).update(withdrawn_at=Now())
    return delete_rows(study, [Rows(Break), Rows(Seat)])
