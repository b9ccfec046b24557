"""Who makes the controls of a study and sees their results. No other module decides it."""

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import (
    MAY_ANNOTATE,
    MAY_CONFIGURE,
    allows,
    study_for,
)

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def controls_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who make its controls. Raise Http404 or PermissionDenied.

    Who also annotates in the study would recognise its controls, so they may not see them.
    """
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    if allows(study, MAY_ANNOTATE):
        raise PermissionDenied(_("You also annotate in this study, so you cannot see its controls."))
    return study
