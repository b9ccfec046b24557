"""What happens to consents when a study is deleted: they end, and stay on record."""

from django.db.models.functions import Now

from accounts.models import Consent
from consent.agreements import document_of
from studies.models import Study


def end_consents(study: Study) -> int:
    """End the consents, so that a later study with this address asks for them again. Return 0: no row is deleted."""
    Consent.objects.filter(document=document_of(study), withdrawn_at=None).update(withdrawn_at=Now())
    return 0
