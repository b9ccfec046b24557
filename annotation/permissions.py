"""Who may do what to which assignment; the only place in the room that decides it.

Leasing takes the annotator's role. An assignment belongs to the person it was given to and does not exist for
anybody else, whatever their role.
"""

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from annotation.models import Assignment
from catalog.models import Study
from catalog.permissions import MAY_ANNOTATE, require_scope, study_for


def annotated_study(request: HttpRequest | Request, slug: str) -> Study:
    """The study, for an annotator of it. Raises Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_ANNOTATE, scope="annotate")


def own_assignment(request: HttpRequest | Request, assignment_id: int) -> Assignment:
    """The person's own assignment, with its study, while they still are an annotator there. Raises Http404 or
    PermissionDenied."""
    assignment = (
        Assignment.objects.select_related("study")
        .filter(pk=assignment_id, person_id=request.user.pk)
        .filter(study__memberships__person_id=request.user.pk, study__memberships__role__in=MAY_ANNOTATE)
        .first()
    )
    if assignment is None:
        raise Http404(_("There is no assignment %(id)s of yours.") % {"id": assignment_id})
    require_scope(request, "annotate")
    return assignment
