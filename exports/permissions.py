"""Who may export data. No other module of this app decides it."""

from rest_framework.request import Request

from studies.models import Study
from studies.permissions import MAY_EXPORT, study_for


def exported_study(request: Request, slug: str) -> Study:
    """Return the study, for its researchers and admins. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_EXPORT)
