"""Who may do what with which assignment. No other module of this app decides it.

Leasing needs the role annotator. An assignment belongs to the person it was given to. For everybody else it does not
exist, whatever their role.
"""

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from annotation.models import Assignment
from diptych.database.fixed import Columns, fetch_one
from studies.models import Study
from studies.permissions import MAY_ANNOTATE, study_for


def annotated_study(request: HttpRequest | Request, slug: str) -> Study:
    """Return the study, for its annotators only. Raise Http404 or PermissionDenied."""
    return study_for(request, slug, roles=MAY_ANNOTATE)


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
