"""The annotator's endpoints. Each parses, calls one function of `serving` or `submission`, and answers."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from annotation import serving, submission
from annotation.answers import Answers
from annotation.models import Assignment, Seat
from annotation.permissions import annotated_study, own_assignment
from annotation.responses import (
    AssignmentShape,
    DeskShape,
    ProblemShape,
    SubmittedShape,
    assignment_json,
    desk_json,
    submitted_json,
)
from annotation.serializers import DraftSerializer, SkipSerializer, SubmissionSerializer, validated
from annotation.showing import shown


class Conflict(APIException):
    """409: what was sent contradicts what is stored."""

    status_code = 409


#: What any endpoint may refuse with; only those of one assignment can conflict.
REFUSED = {400: ProblemShape, 401: ProblemShape, 403: ProblemShape, 404: ProblemShape}
CONFLICT = REFUSED | {409: ProblemShape}


class LeaseView(SignedInView):
    """`POST studies/{slug}/assignments/`."""

    scopes = {"POST": "annotate"}

    @extend_schema(request=None, responses={200: DeskShape} | REFUSED)
    def post(self, request: Request, slug: str) -> Response:
        """Leases the current and the next pair. Repeating it returns the same two while they are live."""
        study = annotated_study(request, slug)
        return Response(desk_json(serving.lease(self.person, study), study))


class AssignmentView(SignedInView):
    """What the endpoints below one assignment share."""

    def validated(self, serializer_class: type, assignment: Assignment) -> dict[str, Any]:
        return validated(serializer_class, self.request.data, assignment)


class SubmitView(AssignmentView):
    """`POST assignments/{id}/submit/`."""

    scopes = {"POST": "annotate"}

    @extend_schema(request=SubmissionSerializer, responses={201: SubmittedShape, 200: SubmittedShape} | CONFLICT)
    def post(self, request: Request, assignment_id: int) -> Response:
        """Stores the answers: 201 the first time, 200 for a repeat of the same submission id, 409 for a conflict."""
        assignment = own_assignment(request, assignment_id)
        body = self.validated(SubmissionSerializer, assignment)
        try:
            submitted = submission.submit(
                assignment,
                self.person,
                submission_id=body["submission_id"],
                answers=Answers.from_body(body["helpfulness"], body["harmlessness"]),
                timings_ms=body["timings_ms"],
                viewing=body["viewing"],
                care=body.get("care"),
                lease_next=body["lease_next"],
            )
        except submission.Conflict as conflict:
            raise Conflict(str(conflict), conflict.code) from conflict
        status = 201 if submitted.created else 200
        return Response(submitted_json(submitted, assignment.study), status=status)


class DraftView(AssignmentView):
    """`PUT assignments/{id}/draft/`."""

    scopes = {"PUT": "annotate"}

    @extend_schema(request=DraftSerializer, responses={204: None} | CONFLICT)
    def put(self, request: Request, assignment_id: int) -> Response:
        """Keeps unfinished answers. Anything may be null, but an overall answer needs its first stage."""
        assignment = own_assignment(request, assignment_id)
        try:
            submission.save_draft(assignment, self.validated(DraftSerializer, assignment))
        except submission.Conflict as conflict:
            raise Conflict(str(conflict), conflict.code) from conflict
        return Response(status=204)


class SkipView(AssignmentView):
    """`POST assignments/{id}/skip/`."""

    scopes = {"POST": "annotate"}

    @extend_schema(request=SkipSerializer, responses={200: DeskShape} | CONFLICT)
    def post(self, request: Request, assignment_id: int) -> Response:
        """Gives the pair back for good, with a reason, and leases what comes next."""
        assignment = own_assignment(request, assignment_id)
        body = self.validated(SkipSerializer, assignment)
        try:
            desk = serving.skip(assignment, self.person, reason=body["reason"], care=body.get("care"))
        except serving.NotYours as error:
            raise Conflict(str(error), error.code) from error
        return Response(desk_json(desk, assignment.study))


class RenewView(AssignmentView):
    """`POST assignments/{id}/renew/`."""

    scopes = {"POST": "annotate"}

    @extend_schema(request=None, responses={200: AssignmentShape} | CONFLICT)
    def post(self, request: Request, assignment_id: int) -> Response:
        """Extends the lease, or takes it back while its pair still has a slot; with fresh media addresses."""
        assignment = own_assignment(request, assignment_id)
        study = assignment.study
        try:
            renewed = serving.renew(assignment, self.person)
        except serving.NotYours as error:
            raise Conflict(str(error), error.code) from error
        seat = Seat.objects.get(study=study, person=self.person)
        return Response(assignment_json(shown(renewed.pk)[renewed.pk], seat, study))


class ReleaseView(AssignmentView):
    """`POST assignments/{id}/release/`."""

    scopes = {"POST": "annotate"}

    @extend_schema(request=None, responses={204: None} | CONFLICT)
    def post(self, request: Request, assignment_id: int) -> Response:
        """Gives the pair back unanswered; its draft stays for when it comes round again."""
        assignment = own_assignment(request, assignment_id)
        try:
            serving.release(assignment, self.person)
        except serving.NotYours as error:
            raise Conflict(str(error), error.code) from error
        return Response(status=204)
