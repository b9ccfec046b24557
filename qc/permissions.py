"""Who may see a study's progress and findings, change its rules, review its answers, and stop people.

No other module decides it.
"""

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from qc.models import Lot, Pause, Review, Suspension
from qc.models.reviews import Kind
from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import (
    MAY_ADJUDICATE,
    MAY_ANNOTATE,
    MAY_BROWSE,
    MAY_CONFIGURE,
    MAY_CONFIRM,
    MAY_COUNT_WORK,
    MAY_DECIDE,
    MAY_EXPORT,
    MAY_REVIEW,
    MAY_SEE_ANSWERS,
    MAY_SEE_PROGRESS,
    MAY_SET_PAUSES,
    MAY_SPOT_CHECK,
    MAY_SUSPEND,
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


def controls_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who make its controls. Raise Http404 or PermissionDenied.

    Who also annotates in the study would recognise its controls, so they may not see them.
    """
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    if allows(study, MAY_ANNOTATE):
        raise PermissionDenied(_("You also annotate in this study, so you cannot see its controls."))
    return study


def allowed_links(study: "WithAnnotations[Study, HasRoles]") -> dict[str, bool]:
    """Return which of the dashboard's links the person may follow."""
    return {
        "may_export": allows(study, MAY_EXPORT),
        "may_browse": allows(study, MAY_BROWSE & MAY_SEE_ANSWERS),
        "may_count_work": allows(study, MAY_COUNT_WORK),
        "may_suspend": allows(study, MAY_SUSPEND),
        "annotates": allows(study, MAY_ANNOTATE),
    }


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
    lot = Lot.objects.select_related("study").filter(pk=lot_id).first()
    if lot is None:
        raise Http404(_("There is no lot %(id)s.") % {"id": lot_id})
    lot.study = deciding_study(request, lot.study.slug)
    return lot


#: Roles that may do each kind of review. The look-here queue is open to both teams.
REVIEWS: dict[str, frozenset[str]] = {
    Kind.SECONDARY: MAY_REVIEW,
    Kind.SPOT: MAY_SPOT_CHECK,
    Kind.LOOK: MAY_CONFIRM,
    Kind.CONFIRM: MAY_CONFIRM,
    Kind.ADJUDICATE: MAY_ADJUDICATE,
}


def reviewed_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for its reviewers, researchers and admins. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_CONFIRM)


def reviewed_kinds(study: "WithAnnotations[Study, HasRoles]") -> list[str]:
    """Return the kinds of review that the person may do, in the order of the pages."""
    return [kind for kind, roles in REVIEWS.items() if allows(study, roles)]


def reviewed_lot(request: HttpRequest | Request, lot_id: int, kind: str) -> Lot:
    """Return the lot with its study, for people who may do this kind of review. Raise Http404 or PermissionDenied."""
    lot = Lot.objects.select_related("study").filter(pk=lot_id).first()
    if lot is None:
        raise Http404(_("There is no lot %(id)s.") % {"id": lot_id})
    lot.study = study_for(request, lot.study.slug, roles=MAY_CONFIRM)
    if not allows(lot.study, REVIEWS[kind]):
        raise PermissionDenied(_("Your role in this study does not allow this kind of review."))
    return lot


def own_review(request: HttpRequest | Request, review_id: int) -> Review:
    """Return the person's own review with its study and lot, while they still may do its kind of review.

    Raise Http404 or PermissionDenied. The reviews of other people do not exist for them.
    """
    found = Review.objects.select_related("study", "lot__study", "pair")
    review = found.filter(pk=review_id, reviewer=request.user.pk).first()
    if review is None:
        raise Http404(_("You have no review %(id)s.") % {"id": review_id})
    study = study_for(request, review.study.slug)
    if not allows(study, REVIEWS[review.kind]):
        raise PermissionDenied(_("Your role in this study does not allow this kind of review."))
    return review


def suspending_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for people who may suspend its annotators. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SUSPEND)


def suspension_of(request: HttpRequest | Request, suspension_id: int, slug: str = "") -> Suspension:
    """Return the suspension with its study, for people who may lift it. Raise Http404 or PermissionDenied.

    Args:
        slug: the study in the address, if it has one.
    """
    found = Suspension.objects.select_related("study", "person", "lot", "asked_by", "lifted_by")
    suspension = found.filter(pk=suspension_id, **{"study__slug": slug} if slug else {}).first()
    if suspension is None:
        raise Http404(_("There is no suspension %(id)s.") % {"id": suspension_id})
    suspension.study = suspending_study(request, suspension.study.slug)
    return suspension


def paused_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for people who see whom its pause rules judged. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_COUNT_WORK)


def pausing_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for people who set its pause rules. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SET_PAUSES)


def ends_pauses(study: "WithAnnotations[Study, HasRoles]") -> bool:
    """Return whether the person ends pauses and sets pause rules."""
    return allows(study, MAY_SET_PAUSES)


def pause_of(request: HttpRequest | Request, pause_id: int) -> Pause:
    """Return the pause with its study, for people who may end it. Raise Http404 or PermissionDenied."""
    found = Pause.objects.select_related("study", "person", "judgement", "ended_by")
    pause = found.filter(pk=pause_id).first()
    if pause is None:
        raise Http404(_("There is no pause %(id)s.") % {"id": pause_id})
    pause.study = pausing_study(request, pause.study.slug)
    return pause
