"""Who may see a study's progress and findings, and change its rules. No other module of this app decides it."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from rest_framework.request import Request

from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import (
    MAY_ANNOTATE,
    MAY_BROWSE,
    MAY_CONFIGURE,
    MAY_EXPORT,
    MAY_SEE_ANSWERS,
    MAY_SEE_PROGRESS,
    allows,
    study_for,
)

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def dashboard_study(request: HttpRequest, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for its reviewers, researchers and admins. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SEE_PROGRESS)


def findings_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who see its answers. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SEE_ANSWERS)


def rules_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who change its rules and run them. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_CONFIGURE)


def allowed_links(study: "WithAnnotations[Study, HasRoles]") -> dict[str, bool]:
    """Return which of the dashboard's links the person may follow."""
    return {
        "may_export": allows(study, MAY_EXPORT),
        "may_browse": allows(study, MAY_BROWSE & MAY_SEE_ANSWERS),
        "annotates": allows(study, MAY_ANNOTATE),
    }
