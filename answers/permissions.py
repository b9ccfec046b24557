"""Who may see answers, and how much each annotator has done. No other module of this app decides it."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from rest_framework.request import Request

from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_COUNT_WORK, MAY_SEE_ANSWERS, study_for

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def answers_study(request: HttpRequest, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for people who may see its answers. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SEE_ANSWERS)


def people_progress_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for people who may see how much each annotator has done. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_COUNT_WORK)
