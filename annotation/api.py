"""The annotator's endpoints. Each parses the request, calls one function of `serving` or `submission`, and responds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from annotation import exposure_reports, serving, skipping, submission
from annotation.answers import Answers
from annotation.assignment_data import read_assignments
from annotation.models import Assignment, Seat
from annotation.permissions import annotated_study, own_assignment
from annotation.renewal import NOT_RENEWED
from annotation.responses import (
    AssignmentShape,
    DeskShape,
    SubmittedShape,
    assignment_json,
    leased_pairs_json,
    submitted_json,
)
from annotation.serializers import (
    CareReportSerializer,
    DraftSerializer,
    RenewSerializer,
    SkipSerializer,
    SubmissionSerializer,
    validated,
)
from diptych.refusals import Refused


class LeaseView(SignedInView):
    """`POST studies/{slug}/assignments/`."""

    scopes = {"POST": "annotate"}

    @extend_schema(request=None, responses={200: DeskShape})
    def post(self, request: Request, slug: str) -> Response:
        """Lease the current and the next pair.

        A repeated request returns the same two while their leases are live.
        """
        study = annotated_study(request, slug)
        return Response(leased_pairs_json(serving.lease(self.person, study), study))


class AssignmentView(SignedInView):
    """Base class of the endpoints below one assignment."""

    def validated(self, serializer_class: type, assignment: Assignment) -> dict[str, Any]:
        return validated(serializer_class, self.request.data, assignment)

    @contextmanager
    def recording_exposure(
        self, assignment: Assignment, care: dict[str, Any] | None, showing: str = ""
    ) -> Iterator[None]:
        """Record the reported exposure (`care`) even if the request is refused."""
        try:
            yield
        except Refused:
            if care:
                exposure_reports.record_separate_report(assignment, self.person, care, showing=showing)
            raise


class SubmitView(AssignmentView):
    """`POST assignments/{id}/submit/`."""

    scopes = {"POST": "annotate"}
    refusals = {409: ("already_answered", "consent", "skipped", "submission_id_used")}

    @extend_schema(request=SubmissionSerializer, responses={201: SubmittedShape, 200: SubmittedShape})
    def post(self, request: Request, assignment_id: int) -> Response:
        """Submit the answers on a pair.

        Responds 201 the first time, 200 to a repeated submission id, 409 to a conflict.
        """
        assignment = own_assignment(request, assignment_id)
        body = self.validated(SubmissionSerializer, assignment)
        with self.recording_exposure(assignment, body.get("care")):
            submitted = submission.submit(
                assignment,
                self.person,
                submission_id=body["submission_id"],
                answers=Answers.from_body(
                    body["helpfulness"], body["harmlessness"], unsure=body["unsure"], comment=body["comment"]
                ),
                timings_ms=body["timings_ms"],
                viewing=body["viewing"],
                care=body.get("care"),
                lease_next=body["lease_next"],
            )
        status = 201 if submitted.created else 200
        return Response(submitted_json(submitted, assignment.study), status=status)


class DraftView(AssignmentView):
    """`PUT assignments/{id}/draft/`."""

    scopes = {"PUT": "annotate"}
    refusals = {409: ("already_answered", "consent", "study_closed")}

    @extend_schema(request=DraftSerializer, responses={204: None})
    def put(self, request: Request, assignment_id: int) -> Response:
        """Save a draft of the answers on a pair.

        Any field may be null, but an overall answer needs its first stage.
        """
        assignment = own_assignment(request, assignment_id)
        submission.save_draft(assignment, self.validated(DraftSerializer, assignment))
        return Response(status=204)


class SkipView(AssignmentView):
    """`POST assignments/{id}/skip/`."""

    scopes = {"POST": "annotate"}
    refusals = {409: ("already_answered", "lease_lost", "study_closed")}

    @extend_schema(request=SkipSerializer, responses={200: DeskShape})
    def post(self, request: Request, assignment_id: int) -> Response:
        """Skip a pair, and lease the next one.

        The skip is for good and has a reason.
        """
        assignment = own_assignment(request, assignment_id)
        body = self.validated(SkipSerializer, assignment)
        with self.recording_exposure(assignment, body.get("care")):
            leased = skipping.skip(
                assignment, self.person, reason=body["reason"], note=body["note"], care=body.get("care")
            )
        return Response(leased_pairs_json(leased, assignment.study))


class RenewView(AssignmentView):
    """`POST assignments/{id}/renew/`."""

    scopes = {"POST": "annotate"}
    refusals = {409: ("already_answered", "lease_lost", *NOT_RENEWED)}

    @extend_schema(request=RenewSerializer, responses={200: AssignmentShape})
    def post(self, request: Request, assignment_id: int) -> Response:
        """Extend the lease of a pair.

        An ended lease is renewed if its pair still has a slot. Media addresses are new.
        """
        assignment = own_assignment(request, assignment_id)
        study = assignment.study
        if care := self.validated(RenewSerializer, assignment).get("care"):
            exposure_reports.record_separate_report(assignment, self.person, care)
        renewed = serving.renew(assignment, self.person)
        seat = Seat.objects.get(study=study, person=self.person)
        return Response(assignment_json(read_assignments(renewed.pk)[renewed.pk], seat, study))


class CareView(AssignmentView):
    """`POST assignments/{id}/care/`."""

    scopes = {"POST": "annotate"}

    @extend_schema(request=CareReportSerializer, responses={204: None})
    def post(self, request: Request, assignment_id: int) -> Response:
        """Record how much of a pair was revealed.

        It can be sent in any state of the assignment. Repeating is harmless.
        """
        assignment = own_assignment(request, assignment_id)
        care = self.validated(CareReportSerializer, assignment)["care"]
        exposure_reports.record_separate_report(assignment, self.person, care)
        return Response(status=204)


class ReleaseView(AssignmentView):
    """`POST assignments/{id}/release/`."""

    scopes = {"POST": "annotate"}
    refusals = {409: ("already_answered", "lease_lost")}

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, assignment_id: int) -> Response:
        """Give a pair back without an answer.

        The draft is kept for when the person gets the pair again.
        """
        assignment = own_assignment(request, assignment_id)
        serving.release(assignment, self.person)
        return Response(status=204)
