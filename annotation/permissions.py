"""Who may do what with which assignment. No other module of this app decides it.

Leasing needs the role annotator. An assignment belongs to the person it was given to. For everybody else it does not
exist, whatever their role.
"""

from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from annotation.models import Assignment
from annotation.trial import pair_of
from catalog.models import Pair
from diptych.database.fixed import Columns, fetch_one
from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import (
    MAY_ANNOTATE,
    MAY_CONFIGURE,
    MAY_COUNT_WORK,
    MAY_JUDGE,
    MAY_SEE_ANSWERS,
    MAY_SEE_EXPOSURE,
    MAY_SEE_WELLBEING,
    allows,
    study_for,
)

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


def annotated_study(request: HttpRequest | Request, slug: str) -> Study:
    """Return the study, for its annotators only. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_ANNOTATE)


def consenting_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for everybody who watches its videos to judge them. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_JUDGE)


def annotates(study: "WithAnnotations[Study, HasRoles]") -> bool:
    """Return whether the person is an annotator of the study."""
    return allows(study, MAY_ANNOTATE)


def wellbeing_study(request: HttpRequest, slug: str) -> Study:
    """Return the study, for its wellbeing contacts only. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SEE_WELLBEING)


def managed_study(request: HttpRequest, slug: str) -> Study:
    """Return the study, for the people responsible for exposure in it. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SEE_EXPOSURE)


def answers_study(request: HttpRequest, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for people who may see its answers. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_SEE_ANSWERS)


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


def people_progress_study(request: HttpRequest | Request, slug: str) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, for people who may see how much each annotator has done. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_COUNT_WORK)


ASSIGNMENT, STUDY = Columns(Assignment, "assignment"), Columns(Study, "study")
OWN = f"""
SELECT {ASSIGNMENT.sql}, {STUDY.sql}
  FROM annotation_assignment assignment JOIN studies_study study ON study.id = assignment.study_id
 WHERE assignment.id = %(assignment)s AND assignment.person_id = %(person)s
   AND EXISTS (SELECT FROM studies_membership membership
                WHERE membership.study_id = study.id AND membership.person_id = %(person)s
                  AND membership.role = ANY(%(roles)s))
"""  # noqa: S608 - of column names


def own_assignment(request: HttpRequest | Request, assignment_id: int) -> Assignment:
    """Return the person's own assignment, with its study, while they are an annotator there.

    Raise Http404 or PermissionDenied.
    """
    row = fetch_one(OWN, {"assignment": assignment_id, "person": request.user.pk, "roles": list(MAY_ANNOTATE)})
    if row is None:
        raise Http404(_("You have no assignment %(id)s.") % {"id": assignment_id})
    assignment = ASSIGNMENT.instance(row)
    assignment.study = STUDY.instance(row, len(ASSIGNMENT.names))
    return assignment
