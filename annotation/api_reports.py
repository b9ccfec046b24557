"""Endpoint to report illegal content."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import quarantining
from annotation.api import AssignmentView
from annotation.permissions import own_assignment
from annotation.protocol import VIDEOS
from annotation.responses import DeskShape, leased_pairs_json
from annotation.serializers import CareSerializer


class ReportSerializer(serializers.Serializer):
    """The reported videos. A report has no description."""

    videos = serializers.ListField(child=serializers.ChoiceField(choices=list(VIDEOS)), min_length=1, max_length=2)
    care = CareSerializer(required=False)


class ReportedShape(DeskShape):
    """The person's next pairs, and the outcome of the report."""

    report = serializers.ChoiceField(
        choices=list(quarantining.OUTCOMES),
        help_text="hidden: nobody can see the videos any more; held: the pair is held in its study until a second "
        "person agrees; released: a safety officer has already decided about this report, so nothing changed",
    )


class ReportView(AssignmentView):
    """`POST assignments/{id}/report/`."""

    scopes = {"POST": "annotate"}
    refusals = {403: ("not_shown",)}

    @extend_schema(request=ReportSerializer, responses={200: ReportedShape})
    def post(self, request: Request, assignment_id: int) -> Response:
        """Report a pair as illegal, and lease the next one.

        Name the videos of the pair that was shown to you.

        Your first reports hide the videos from everybody at once. Later reports hold the pair until a safety officer
        or a second person agrees. Repeating a report is harmless.
        """
        assignment = own_assignment(request, assignment_id)
        body = self.validated(ReportSerializer, assignment)
        reported = quarantining.report(assignment, self.person, videos=body["videos"], care=body.get("care"))
        return Response(leased_pairs_json(reported.leased, assignment.study) | {"report": reported.outcome})
