"""The annotator's endpoints. Each parses, calls one function of `serving` or `submission`, and answers."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation import serving, submission
from annotation.answers import Answers
from annotation.models import Assignment, Seat
from annotation.permissions import annotated_study, own_assignment
from annotation.serializers import (
    NO_DESK,
    DraftSerializer,
    SkipSerializer,
    SubmissionSerializer,
    assignment_json,
    desk_json,
)


class Conflict(APIException):
    """409: what was sent contradicts what is stored."""

    status_code = 409


DESK = OpenApiResponse(OpenApiTypes.OBJECT, "`current`, `next`: assignments or null; `reason`; `retry_after_s`")


class LeaseView(APIView):
    """`POST studies/{slug}/assignments/`."""

    @extend_schema(request=None, responses={200: DESK})
    def post(self, request: Request, slug: str) -> Response:
        """Leases the current and the next pair. Repeating it returns the same two while they are live."""
        study = annotated_study(request, slug)
        return Response(desk_json(serving.lease(request.user, study), study))


class AssignmentView(APIView):
    """What the endpoints below one assignment share."""

    def validated(self, serializer_class: type, assignment: Assignment) -> dict[str, Any]:
        serializer = serializer_class(
            data=self.request.data, context={"allow_ties": assignment.study.allow_ties}
        )
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


class SubmitView(AssignmentView):
    """`POST assignments/{id}/submit/`."""

    @extend_schema(request=SubmissionSerializer, responses={201: DESK, 200: DESK, 409: OpenApiTypes.OBJECT})
    def post(self, request: Request, assignment_id: int) -> Response:
        """Stores the answers: 201 the first time, 200 for a repeat of the same submission id, 409 for a conflict."""
        assignment = own_assignment(request, assignment_id)
        body = self.validated(SubmissionSerializer, assignment)
        try:
            submitted = submission.submit(
                assignment,
                request.user,
                assignment.study,
                submission_id=body["submission_id"],
                answers=Answers.from_body(body["helpfulness"], body["harmlessness"]),
                timings_ms=body["timings_ms"],
                viewing=body["viewing"],
                lease_next=body["lease_next"],
            )
        except submission.Conflict as conflict:
            raise Conflict(str(conflict), conflict.code) from conflict
        annotation = {
            "id": submitted.annotation.pk,
            "submission_id": submitted.annotation.submission_id,
            "revision": submitted.annotation.revision,
            "counted": submitted.standing.counted,
        }
        desk = desk_json(submitted.desk, assignment.study) if submitted.desk else NO_DESK
        return Response({"annotation": annotation, **desk}, status=201 if submitted.created else 200)


class DraftView(AssignmentView):
    """`PUT assignments/{id}/draft/`."""

    @extend_schema(request=DraftSerializer, responses={204: None, 409: OpenApiTypes.OBJECT})
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

    @extend_schema(request=SkipSerializer, responses={200: DESK, 409: OpenApiTypes.OBJECT})
    def post(self, request: Request, assignment_id: int) -> Response:
        """Gives the pair back for good, with a reason, and leases what comes next."""
        assignment = own_assignment(request, assignment_id)
        reason = self.validated(SkipSerializer, assignment)["reason"]
        try:
            desk = serving.skip(assignment, assignment.study, request.user, reason=reason)
        except serving.NotYours as error:
            raise Conflict(str(error), "already_answered") from error
        return Response(desk_json(desk, assignment.study))


class RenewView(AssignmentView):
    """`POST assignments/{id}/renew/`."""

    @extend_schema(request=None, responses={200: OpenApiTypes.OBJECT, 409: OpenApiTypes.OBJECT})
    def post(self, request: Request, assignment_id: int) -> Response:
        """Extends the lease, or takes it back while its pair still has a slot; with fresh media addresses."""
        assignment = own_assignment(request, assignment_id)
        study = assignment.study
        try:
            renewed = serving.renew(assignment, study, request.user)
        except serving.NotYours as error:
            raise Conflict(str(error), "lease_lost") from error
        seat = Seat.objects.get(study=study, person=request.user)
        return Response(assignment_json(renewed, seat, study))


class ReleaseView(AssignmentView):
    """`POST assignments/{id}/release/`."""

    @extend_schema(request=None, responses={204: None, 409: OpenApiTypes.OBJECT})
    def post(self, request: Request, assignment_id: int) -> Response:
        """Gives the pair back unanswered; its draft stays for when it comes round again."""
        assignment = own_assignment(request, assignment_id)
        try:
            serving.release(assignment, assignment.study, request.user)
        except serving.NotYours as error:
            raise Conflict(str(error), "already_answered") from error
        return Response(status=204)
