"""Who sees the progress of a study and its figures, and who has them computed. No other module decides it."""

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from figures.models import StudyFigures
from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import (
    MAY_ANNOTATE,
    MAY_BROWSE,
    MAY_CONFIGURE,
    MAY_COUNT_WORK,
    MAY_EXPORT,
    MAY_SEE_ANSWERS,
    MAY_SEE_CODES,
    MAY_SEE_PROGRESS,
    MAY_SUSPEND,
    allows,
    study_for,
)

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def dashboard_study(request: HttpRequest, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for its reviewers, researchers and admins. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SEE_PROGRESS)


def agreement_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who see how far people agree: sums, and nobody's answers.

    Raise Http404 or PermissionDenied.
    """
    return study_for(request, slug, roles=MAY_SEE_PROGRESS)


def annotators_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who see figures of single annotators. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_COUNT_WORK)


def computing_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who have its figures computed. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_CONFIGURE)


#: Roles that see each kind of figures.
SEES_FIGURES: dict[str, frozenset[str]] = {
    StudyFigures.Kind.AGREEMENT: MAY_SEE_PROGRESS,
    StudyFigures.Kind.ANNOTATORS: MAY_COUNT_WORK,
}


def require_figures(study: "WithAnnotations[Study, HasRoles]", kind: str) -> None:
    """Raise PermissionDenied if the person may not see figures of this kind."""
    if not allows(study, SEES_FIGURES[kind]):
        raise PermissionDenied(_("Your role in this study does not allow this."))


def names_people(study: "WithAnnotations[Study, HasRoles]") -> bool:
    """Return whether the person sees the names of annotators beside their codes."""
    return allows(study, MAY_SEE_CODES)


def allowed_figure_links(study: "WithAnnotations[Study, HasRoles]") -> dict[str, bool]:
    """Return what the person may do on pages of figures: have them computed, and see the rows behind them.

    The rows of controls are for fewer people, see `controls_study`.
    """
    configures = allows(study, MAY_CONFIGURE)
    return {
        "computes": configures,
        "sees_rows": allows(study, MAY_SEE_ANSWERS),
        "sees_controls": configures and not allows(study, MAY_ANNOTATE),
    }


def overview_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who see its page Quality. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SEE_PROGRESS)


def allowed_links(study: "WithAnnotations[Study, HasRoles]") -> dict[str, bool]:
    """Return which of the dashboard's links the person may follow."""
    return {
        "may_export": allows(study, MAY_EXPORT),
        "may_browse": allows(study, MAY_BROWSE & MAY_SEE_ANSWERS),
        "may_count_work": allows(study, MAY_COUNT_WORK),
        "may_suspend": allows(study, MAY_SUSPEND),
        "annotates": allows(study, MAY_ANNOTATE),
    }
