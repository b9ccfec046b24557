"""Endpoints to reopen one's own answer and to submit its next revision."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import revisions
from annotation.acceptance import surplus_reason
from annotation.answers import Answers, as_draft
from annotation.api import AssignmentView
from annotation.assignment_data import read_assignments
from annotation.models import Assignment, Seat, Standing
from annotation.own_progress import ordinal
from annotation.permissions import own_assignment
from annotation.responses import AssignmentShape, StoredShape, assignment_json
from annotation.serializers import RevisionSerializer, validated

#: Error codes for an answer that can no longer be changed.
CLOSED = (
    "not_answered",
    "too_late",
    "consent",
    "excluded",
    "study_closed",
    "held",
    "batch_closed",
    "corrected",
    "asked_again",
)


class ReopenedShape(AssignmentShape):
    answers = serializers.DictField(help_text="The current answers, in the format of a draft")
    viewing = serializers.DictField(help_text="How the videos were watched for them; the next report continues it")
    answered_at = serializers.DateTimeField()
    until = serializers.DateTimeField(help_text="The answer can be changed until then")
    number = serializers.IntegerField(help_text="Ordinal number of this pair among those that the person has answered")


class RevisedShape(serializers.Serializer):
    annotation = StoredShape()
    changed = serializers.BooleanField(help_text="False: the answers equal the current ones, so nothing was written")


class ReopenView(AssignmentView):
    """`GET assignments/{id}/reopen/`."""

    scopes = {"GET": "annotate"}
    refusals = {409: CLOSED}

    @extend_schema(responses={200: ReopenedShape})
    def get(self, request: Request, assignment_id: int) -> Response:
        """Open an answered pair again.

        The response has your current answers and new media addresses, while you may change them.

        Responds 409 with the reason if the answer can no longer be changed.
        """
        assignment = own_assignment(request, assignment_id)
        study = assignment.study
        seat = Seat.objects.get(study=study, person=self.person)
        standing = Standing.objects.filter(pk=assignment.pk).first()
        closed = revisions.closed_because(assignment, standing, seat, study, timezone.now())
        if closed is not None:
            raise closed
        return Response(reopened_json(assignment, seat))


class ReviseView(AssignmentView):
    """`POST assignments/{id}/revise/`."""

    scopes = {"POST": "annotate"}
    refusals = {409: (*CLOSED, "no_second_look", "submission_id_used")}

    @extend_schema(request=RevisionSerializer, responses={201: RevisedShape, 200: RevisedShape})
    def post(self, request: Request, assignment_id: int) -> Response:
        """Change submitted answers.

        They are stored as the next revision.

        Responds 201 the first time, 200 to a repeated submission id and to unchanged answers, 409 to a conflict.
        """
        assignment = own_assignment(request, assignment_id)
        body = validated(RevisionSerializer, request.data, assignment)
        with self.recording_exposure(assignment, body.get("care"), f"revision {body['submission_id']}"):
            revised = revisions.revise(
                assignment,
                self.person,
                submission_id=body["submission_id"],
                answers=Answers.from_body(
                    body["helpfulness"], body["harmlessness"], unsure=body["unsure"], comment=body["comment"]
                ),
                timings_ms=body["timings_ms"],
                viewing=body["viewing"],
                reason=body["reason"],
                care=body.get("care"),
            )
        return Response(revised_json(revised), status=201 if revised.created else 200)


def reopened_json(assignment: Assignment, seat: Seat) -> dict[str, Any]:
    """Return the assignment in the usual format, with its current answers."""
    standing = Standing.objects.select_related("current").get(pk=assignment.pk)
    assert assignment.ended_at is not None  # noqa: S101 - it was answered
    return {
        **assignment_json(read_assignments(assignment.pk)[assignment.pk], seat, assignment.study),
        "answers": as_draft(standing.current),
        "viewing": standing.current.viewing,
        "answered_at": standing.current.submitted_at,
        "until": assignment.ended_at + timedelta(seconds=assignment.study.reopen_s),
        "number": ordinal(assignment),
    }


def revised_json(revised: revisions.Revised) -> dict[str, Any]:
    """Return the current revision, and whether this request wrote it."""
    annotation = revised.annotation
    return {
        "annotation": {
            "id": annotation.pk,
            "submission_id": annotation.submission_id,
            "revision": annotation.revision,
            "counted": revised.standing.counted,
            "surplus": surplus_reason(revised.standing),
        },
        "changed": revised.created,
    }
