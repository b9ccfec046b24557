"""Who may try the workspace of a study. No other module of this app decides it."""

from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from annotation.unleased import playable
from catalog.models import Pair
from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_CONFIGURE, row_of_study, study_for

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def trial_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for people who may try its workspace as a trial. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_CONFIGURE)


def trial_pair(request: HttpRequest | Request, pair_id: int) -> Pair:
    """Return a pair for a trial, with its study.

    Raise Http404, also if the person may not know of the study, or PermissionDenied.
    """
    missing = _("Pair %(id)s does not exist or cannot be shown.") % {"id": pair_id}
    pair = row_of_study(request, Pair.objects.select_related("study").filter(pk=pair_id), trial_study, missing)
    if not playable(pair.study).filter(pk=pair_id).exists():
        raise Http404(missing)
    return pair
