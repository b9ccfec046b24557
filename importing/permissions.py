"""Who may see or do what with an import; the only place in the app that decides it."""

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from importing.models import Import, Removal
from studies.models import Study
from studies.permissions import MAY_DELETE, MAY_IMPORT, study_for


def import_for(request: HttpRequest | Request, public_id: str) -> Import:
    """The import, for who may import into its study. Raises Http404 and PermissionDenied, as `study_for`."""
    found = Import.objects.select_related("study").filter(public_id=public_id).first()
    if found is None:
        raise Http404(_("There is no import “%(id)s”.") % {"id": public_id})
    study_for(request, found.study.slug, roles=MAY_IMPORT)
    return found


def removal_for(request: HttpRequest | Request, removal_id: int) -> Removal:
    """Return the removal for whoever ordered it, or may order such a one. Raises Http404 and PermissionDenied.

    Once the study is gone nobody has a role in it: then the removal is shown to the person who ordered it.
    """
    found = Removal.objects.select_related("asked_by").filter(pk=removal_id).first()
    if found is None:
        raise Http404(_("There is no such removal."))
    if Study.objects.filter(pk=found.study_number, slug=found.study_slug).exists():
        study_for(request, found.study_slug, roles=MAY_DELETE if found.what == Removal.What.STUDY else MAY_IMPORT)
    elif found.asked_by_id != request.user.pk:
        raise Http404(_("There is no such removal."))
    return found
