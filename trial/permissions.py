"""Who may try the workspace of a study. No other module of this app decides it."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from rest_framework.request import Request

from catalog.models import Pair
from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_CONFIGURE, study_for
from trial.pairs import pair_of

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def trial_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for people who may try its workspace as a trial. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_CONFIGURE)


def trial_pair(request: HttpRequest | Request, pair_id: int) -> Pair:
    """Return a pair for a trial, with its study.

    Raise Http404, also if the person may not know of the study, or PermissionDenied.
    """
    pair = pair_of(pair_id)
    pair.study = trial_study(request, pair.study.slug)
    return pair
