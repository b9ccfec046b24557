"""Who makes trainings and tests, who qualifies with them, and who decides without one. No other module decides it."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from accounts.models import User
from qualification.models import PairSet, SetItem, Turn
from studies.models import Membership, Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_ANNOTATE, MAY_QUALIFY, row_of_study, study_for

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def qualifying_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for its annotators, who qualify for it. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_ANNOTATE)


def sets_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for those who make its trainings and tests. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_QUALIFY)


def who_sees_expected_answers(study: Study, people: Collection[int]) -> set[int]:
    """Return which of these people can see the expected answers. A test would say nothing about them."""
    found = Membership.objects.filter(study=study, person__in=people, role__in=MAY_QUALIFY)
    return set(found.values_list("person", flat=True))


def set_of(study: Study, kind: str, number: int) -> PairSet:
    """Return one version of the study's training or test. Raise Http404."""
    found = PairSet.objects.filter(study=study, kind=kind, number=number).select_related("study").first()
    if found is None:
        raise Http404(_("This study has no such version of a training or test."))
    return found


def item_of(of: PairSet, item_id: int) -> SetItem:
    """Return a pair of the set. Raise Http404."""
    found = SetItem.objects.filter(set=of, pk=item_id).select_related("pair").first()
    if found is None:
        raise Http404(_("This version has no such pair."))
    return found


def managed_set(request: HttpRequest | Request, set_id: int) -> PairSet:
    """Return the version with its study, for those who make it. Raise Http404 or PermissionDenied."""
    rows = PairSet.objects.filter(pk=set_id).select_related("study")
    return row_of_study(request, rows, sets_study, _("There is no training or test %(id)s.") % {"id": set_id})


def person_of(study: Study, person_id: int) -> User:
    """Return a person who is an annotator of the study, or has begun to qualify for it. Raise Http404."""
    annotates = Membership.objects.filter(study=study, person=person_id, role__in=MAY_ANNOTATE)
    found = User.objects.filter(pk=person_id).first()
    if found is None or not (annotates.exists() or found.qualifying_attempts.filter(study=study).exists()):
        raise Http404(_("This person is not an annotator of the study."))
    return found


def own_turn(request: HttpRequest | Request, turn_id: int) -> Turn:
    """Return the person's own turn, while they are an annotator of its study. Raise Http404 or PermissionDenied."""
    rows = Turn.objects.select_related("study", "attempt", "item__pair")
    own = rows.filter(pk=turn_id, attempt__person=request.user.pk)
    return row_of_study(request, own, qualifying_study, _("You have no pair %(id)s to qualify with.") % {"id": turn_id})
