"""Reporting what may be illegal."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import quarantining
from annotation.api import REFUSED, AssignmentView
from annotation.permissions import own_assignment
from annotation.protocol import VIDEOS
from annotation.responses import DeskShape, desk_json
from annotation.serializers import CareSerializer


class ReportSerializer(serializers.Serializer):
    """Which videos; no description is asked for, and none is taken."""

    videos = serializers.ListField(child=serializers.ChoiceField(choices=list(VIDEOS)), min_length=1, max_length=2)
    care = CareSerializer(required=False)


class ReportView(AssignmentView):
    """`POST assignments/{id}/report/`."""

    scopes = {"POST": "annotate"}

    @extend_schema(request=ReportSerializer, responses={200: DeskShape} | REFUSED)
    def post(self, request: Request, assignment_id: int) -> Response:
        """Takes the videos out of everything, for everybody, and leases what comes next. Repeating it is harmless."""
        assignment = own_assignment(request, assignment_id)
        body = self.validated(ReportSerializer, assignment)
        desk = quarantining.report(assignment, self.person, videos=body["videos"], care=body.get("care"))
        return Response(desk_json(desk, assignment.study))
