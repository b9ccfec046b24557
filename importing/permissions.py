"""Decide who can see or do what with an import. No other module of the app decides this."""

from functools import partial

from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from importing.models import Import
from studies.permissions import MAY_IMPORT, row_of_study, study_for


def import_for(request: HttpRequest | Request, public_id: str) -> Import:
    """Return the import if the person can import into its study. Raises Http404 and PermissionDenied."""
    rows = Import.objects.select_related("study").filter(public_id=public_id)
    allowed = partial(study_for, roles=MAY_IMPORT)
    return row_of_study(request, rows, allowed, _("There is no import “%(id)s”.") % {"id": public_id})
