"""Who may see, make and withdraw releases. No other module of this app decides it."""

from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from releases.models import Release
from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_EXPORT, MAY_RELEASE, MAY_WITHDRAW, Allowed, allows, row_of_study, study_for

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def releases_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who download its releases. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_EXPORT)


def releasing_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who make its releases. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_RELEASE)


def withdrawing_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who withdraw answers from releases. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_WITHDRAW)


def makes_releases(study: "WithAnnotations[Study, HasRoles]") -> bool:
    """Return whether the person makes and cancels releases of the study."""
    return allows(study, MAY_RELEASE)


def numbered(study: Study, number: int) -> Release:
    """Return the study's release with this number. Raise Http404."""
    found = _releases().filter(study=study, number=number).first()
    if found is None:
        raise Http404(_("This study has no release %(number)s.") % {"number": number})
    return found


def release_for(request: Request, release_id: int) -> Release:
    """Return the release with its study, for those who download it. Raise Http404 or PermissionDenied."""
    return _release(request, release_id, releases_study)


def own_release(request: Request, release_id: int) -> Release:
    """Return the release with its study, for those who may cancel it. Raise Http404 or PermissionDenied."""
    return _release(request, release_id, releasing_study)


def _release(request: Request, release_id: int, allowed: Allowed) -> Release:
    missing = _("There is no release %(id)s.") % {"id": release_id}
    return row_of_study(request, _releases().filter(pk=release_id), allowed, missing)


def _releases() -> QuerySet[Release]:
    return Release.objects.select_related("study", "family", "parent", "asked_by")
