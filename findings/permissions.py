"""Who sees the findings of a study, and who changes its rules. No other module decides it."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from rest_framework.request import Request

from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import (
    MAY_CONFIGURE,
    MAY_SEE_ANSWERS,
    study_for,
)

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def findings_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who see its answers. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SEE_ANSWERS)


def rules_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who change its rules and run them. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_CONFIGURE)
