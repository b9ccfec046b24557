"""Decide who can see or cancel a removal. No other module of the app decides this."""

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from removal.models import Removal
from studies.models import Study
from studies.permissions import MAY_DELETE, MAY_IMPORT, study_for


def removal_for(request: HttpRequest | Request, removal_id: int) -> Removal:
    """Return the removal if the person can order such a removal. Raises Http404 and PermissionDenied.

    After the study was deleted, nobody has a role in it. Then only the person who ordered the removal can see it.
    """
    found = Removal.objects.select_related("asked_by").filter(pk=removal_id).first()
    if found is None:
        raise Http404(_("There is no such removal."))
    if Study.objects.filter(pk=found.study_number, slug=found.study_slug).exists():
        _refuse_unless_allowed(request, found)
    elif found.asked_by_id != request.user.pk:
        raise Http404(_("There is no such removal."))
    return found


def _refuse_unless_allowed(request: HttpRequest | Request, found: Removal) -> None:
    roles = MAY_DELETE if found.what == Removal.What.STUDY else MAY_IMPORT
    try:
        study_for(request, found.study_slug, roles=roles)
    except Http404:  # the sentence of `study_for` names the study, which may be foreign
        raise Http404(_("There is no such removal.")) from None
