"""Who prepares calibration sessions, and who takes part. No other module decides it."""

from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from calibration.models import CalibrationSession, CalibrationSitting
from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import (
    MAY_CALIBRATE,
    MAY_LEAD_CALIBRATION,
    allows,
    row_of_study,
    study_for,
)

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


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
    rows = CalibrationSession.objects.select_related("study").filter(pk=session_id)
    missing = _("There is no calibration session %(id)s.") % {"id": session_id}
    found = row_of_study(request, rows, calibrated_study, missing)
    return calibration_of(found.study, found.number)  # type: ignore[arg-type]  # with the person's roles


def own_sitting(request: HttpRequest | Request, sitting_id: int) -> CalibrationSitting:
    """Return the person's own turn in a calibration session. Raise Http404 or PermissionDenied."""
    rows = CalibrationSitting.objects.select_related("study", "item__session__study", "item__pair", "person")
    own = rows.filter(pk=sitting_id, person=request.user.pk)
    return row_of_study(request, own, calibrated_study, _("You have no pair %(id)s to judge.") % {"id": sitting_id})
