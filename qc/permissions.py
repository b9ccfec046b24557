"""Who may see a study's progress and findings, change its rules, and review its answers. No other module decides it."""

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from qc.models import CalibrationSession, CalibrationSitting, Lot, Review
from qc.models.reviews import Kind
from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import (
    MAY_ADJUDICATE,
    MAY_ANNOTATE,
    MAY_ASSIGN_REVIEWS,
    MAY_BROWSE,
    MAY_CALIBRATE,
    MAY_CONFIGURE,
    MAY_CONFIRM,
    MAY_COUNT_WORK,
    MAY_DECIDE,
    MAY_EXPORT,
    MAY_LEAD_CALIBRATION,
    MAY_REVIEW,
    MAY_SEE_ANSWERS,
    MAY_SEE_PROGRESS,
    MAY_SPOT_CHECK,
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


def overview_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who see its page Quality. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SEE_PROGRESS)


def assigning_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who assign waiting answers to reviewers. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_ASSIGN_REVIEWS)


def allowed_links(study: "WithAnnotations[Study, HasRoles]") -> dict[str, bool]:
    """Return which of the dashboard's links the person may follow."""
    return {
        "may_export": allows(study, MAY_EXPORT),
        "may_browse": allows(study, MAY_BROWSE & MAY_SEE_ANSWERS),
        "may_count_work": allows(study, MAY_COUNT_WORK),
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


def calibrated_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who take part in its calibration. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_CALIBRATE)


def leading_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who prepare its calibration sessions. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_LEAD_CALIBRATION)


def leads_calibration(study: "WithAnnotations[Study, HasRoles]") -> bool:
    """Return whether the person prepares calibration sessions: chooses pairs, opens and closes them."""
    return allows(study, MAY_LEAD_CALIBRATION)


def calibration_of(study: "WithAnnotations[Study, HasRoles]", number: int) -> CalibrationSession:
    """Return a session of the study that the person may see. Raise Http404. Drafts are for those who prepare them."""
    found = CalibrationSession.objects.select_related("study", "follows").filter(study=study, number=number).first()
    if found is None or (found.state == CalibrationSession.State.DRAFT and not leads_calibration(study)):
        raise Http404(_("This study has no calibration session %(number)s.") % {"number": number})
    return found


def joined_calibration(request: HttpRequest | Request, session_id: int) -> CalibrationSession:
    """Return the session with its study, for people who take part. Raise Http404 or PermissionDenied."""
    found = CalibrationSession.objects.select_related("study").filter(pk=session_id).first()
    if found is None:
        raise Http404(_("There is no calibration session %(id)s.") % {"id": session_id})
    found.study = calibrated_study(request, found.study.slug)
    return calibration_of(found.study, found.number)


def own_sitting(request: HttpRequest | Request, sitting_id: int) -> CalibrationSitting:
    """Return the person's own turn in a calibration session. Raise Http404 or PermissionDenied."""
    rows = CalibrationSitting.objects.select_related("study", "item__session__study", "item__pair", "person")
    sitting = rows.filter(pk=sitting_id, person=request.user.pk).first()
    if sitting is None:
        raise Http404(_("You have no pair %(id)s to judge.") % {"id": sitting_id})
    calibrated_study(request, sitting.study.slug)
    return sitting
