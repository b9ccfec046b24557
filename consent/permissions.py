"""Who may agree to what a study shows, and who may see how much people saw. No other module of this app decides it."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from rest_framework.request import Request

from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_ANNOTATE, MAY_JUDGE, MAY_SEE_EXPOSURE, MAY_SEE_WELLBEING, allows, study_for

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def consenting_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for everybody who watches its videos to judge them. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_JUDGE)


def annotates(study: "WithAnnotations[Study, HasRoles]") -> bool:
    """Return whether the person is an annotator of the study."""
    return allows(study, MAY_ANNOTATE)


def wellbeing_study(request: HttpRequest, slug: str) -> Study:
    """Return the study, for its wellbeing contacts only. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SEE_WELLBEING)


def managed_study(request: HttpRequest, slug: str) -> Study:
    """Return the study, for the people responsible for exposure in it. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SEE_EXPOSURE)
