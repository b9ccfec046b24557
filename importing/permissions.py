"""Who may see or do what with an import; the only place in the app that decides it."""

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from importing.models import Import
from studies.permissions import MAY_IMPORT, study_for


def import_for(request: HttpRequest | Request, public_id: str) -> Import:
    """The import, for who may import into its study. Raises Http404 and PermissionDenied, as `study_for`."""
    found = Import.objects.select_related("study").filter(public_id=public_id).first()
    if found is None:
        raise Http404(_("There is no import “%(id)s”.") % {"id": public_id})
    study_for(request, found.study.slug, roles=MAY_IMPORT)
    return found
