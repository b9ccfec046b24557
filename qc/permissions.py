"""Who puts lots together, decides them, reviews their answers and assigns reviews. No other module decides it."""

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from qc.models import Lot, Review
from qc.models.reviews import Kind
from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import (
    MAY_ADJUDICATE,
    MAY_ASSIGN_REVIEWS,
    MAY_CONFIRM,
    MAY_DECIDE,
    MAY_REVIEW,
    MAY_SEE_PROGRESS,
    MAY_SPOT_CHECK,
    Allowed,
    allows,
    row_of_study,
    study_for,
)

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def assigning_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who assign waiting answers to reviewers. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_ASSIGN_REVIEWS)


def lots_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for people who may see its lots. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SEE_PROGRESS)


def deciding_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for people who put lots together and decide them. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_DECIDE)


def decides(study: "WithAnnotations[Study, HasRoles]") -> bool:
    """Return whether the person decides lots. Only they see what review found in a lot that is not decided."""
    return allows(study, MAY_DECIDE)


def decided_lot(request: HttpRequest | Request, lot_id: int) -> Lot:
    """Return the lot with its study, for people who decide it. Raise Http404 or PermissionDenied."""
    return _lot(request, lot_id, deciding_study)


#: Roles that may do each kind of review. The look-here queue and second blind answers are open to both teams.
REVIEWS: dict[str, frozenset[str]] = {
    Kind.SECONDARY: MAY_REVIEW,
    Kind.SPOT: MAY_SPOT_CHECK,
    Kind.LOOK: MAY_CONFIRM,
    Kind.CONFIRM: MAY_CONFIRM,
    Kind.ADJUDICATE: MAY_ADJUDICATE,
    Kind.SECOND_BLIND: MAY_CONFIRM,
}


def reviewed_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for its reviewers, researchers and admins. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_CONFIRM)


def reviewed_kinds(study: "WithAnnotations[Study, HasRoles]") -> list[str]:
    """Return the kinds of review that the person may do, in the order of the pages."""
    return [kind for kind, roles in REVIEWS.items() if allows(study, roles)]


def reviewed_lot(request: HttpRequest | Request, lot_id: int, kind: str) -> Lot:
    """Return the lot with its study, for people who may do this kind of review. Raise Http404 or PermissionDenied."""
    lot = _lot(request, lot_id, reviewed_study)
    if not allows(lot.study, REVIEWS[kind]):  # type: ignore[arg-type]  # with the person's roles
        raise PermissionDenied(_("Your role in this study does not allow this kind of review."))
    return lot


def own_review(request: HttpRequest | Request, review_id: int) -> Review:
    """Return the person's own review with its study and lot, while they still may do its kind of review.

    Raise Http404 or PermissionDenied. The reviews of other people do not exist for them.
    """
    own = Review.objects.select_related("study", "lot__study", "pair").filter(pk=review_id, reviewer=request.user.pk)
    review = row_of_study(request, own, study_for, _("You have no review %(id)s.") % {"id": review_id})
    if not allows(review.study, REVIEWS[review.kind]):  # type: ignore[arg-type]  # with the person's roles
        raise PermissionDenied(_("Your role in this study does not allow this kind of review."))
    return review


def _lot(request: HttpRequest | Request, lot_id: int, allowed: Allowed) -> Lot:
    rows = Lot.objects.select_related("study").filter(pk=lot_id)
    return row_of_study(request, rows, allowed, _("There is no lot %(id)s.") % {"id": lot_id})
