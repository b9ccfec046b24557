"""Who may take data out; the only place in the app that decides it."""

from rest_framework.request import Request

from studies.models import Study
from studies.permissions import MAY_EXPORT, study_for


def exported_study(request: Request, slug: str) -> Study:
    """The study, for a researcher or admin of it. Raises Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_EXPORT)
