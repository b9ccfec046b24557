"""Decide who can see or do what with an import. No other module of the app decides this."""

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from importing.models import Import
from studies.permissions import MAY_IMPORT, study_for


def import_for(request: HttpRequest | Request, public_id: str) -> Import:
    """Return the import if the person can import into its study. Raises Http404 and PermissionDenied."""
    found = Import.objects.select_related("study").filter(public_id=public_id).first()
    if found is None:
        raise Http404(_("There is no import “%(id)s”.") % {"id": public_id})
    study_for(request, found.study.slug, roles=MAY_IMPORT)
    return found
