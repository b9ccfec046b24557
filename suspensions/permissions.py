"""Who suspends people, sets pause rules and ends pauses. No other module decides it."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import (
    MAY_COUNT_WORK,
    MAY_SET_PAUSES,
    MAY_SUSPEND,
    allows,
    row_of_study,
    study_for,
)
from suspensions.models import Pause, Suspension

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def suspending_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for people who may suspend its annotators. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SUSPEND)


def suspension_of(request: HttpRequest | Request, suspension_id: int, slug: str = "") -> Suspension:
    """Return the suspension with its study, for people who may lift it. Raise Http404 or PermissionDenied.

    Args:
        slug: the study in the address, if it has one.
    """
    found = Suspension.objects.select_related("study", "person", "lot", "asked_by", "lifted_by")
    rows = found.filter(pk=suspension_id, **{"study__slug": slug} if slug else {})
    return row_of_study(request, rows, suspending_study, _("There is no suspension %(id)s.") % {"id": suspension_id})


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
    rows = Pause.objects.select_related("study", "person", "judgement", "ended_by").filter(pk=pause_id)
    return row_of_study(request, rows, pausing_study, _("There is no pause %(id)s.") % {"id": pause_id})
