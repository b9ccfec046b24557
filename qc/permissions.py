"""Who may see how a study is getting on; the only place in the app that decides it."""

from typing import TYPE_CHECKING

from django.http import HttpRequest

from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import (
    MAY_ANNOTATE,
    MAY_BROWSE,
    MAY_EXPORT,
    MAY_SEE_ANSWERS,
    MAY_SEE_PROGRESS,
    allows,
    study_for,
)

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def overseen_study(request: HttpRequest, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """The study, for a reviewer, researcher or admin of it. Raises Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SEE_PROGRESS)


def ways_on(study: "WithAnnotations[Study, HasRoles]") -> dict[str, bool]:
    """Which of the dashboard's links the person may follow."""
    return {
        "may_export": allows(study, MAY_EXPORT),
        "may_browse": allows(study, MAY_BROWSE & MAY_SEE_ANSWERS),
        "annotates": allows(study, MAY_ANNOTATE),
    }
