"""Who sees the charts of a study. No other module decides it."""

from typing import TYPE_CHECKING

from django.http import HttpRequest

from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_SEE_PROGRESS, study_for

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def charts_study(request: HttpRequest, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who see its figures. Charts show sums, and nobody's answers.

    Raise Http404 or PermissionDenied.
    """
    return study_for(request, slug, roles=MAY_SEE_PROGRESS)
