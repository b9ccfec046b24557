"""Who may see a study's progress and findings, change its rules, review its answers, and stop people.

No other module decides it.
"""

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from qc.models import CalibrationSession, CalibrationSitting, Lot, Pause, Review, StudyFigures, Suspension
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
    MAY_SEE_CODES,
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


def assigning_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who assign waiting answers to reviewers. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_ASSIGN_REVIEWS)


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
