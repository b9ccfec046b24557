"""Endpoint of reviewers: how far they agree."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from qc import reviewer_agreement
from qc.permissions import deciding_study


class RowAgreementShape(serializers.Serializer):
    compared = serializers.ChoiceField(
        choices=list(reviewer_agreement.COMPARED),
        help_text="A preference; `safe`: whether a video is safe; `tags`: all tags of a video",
    )
    share = serializers.FloatField(help_text="How often two blind answers are the same, weighted by the draw")
    interval = serializers.ListField(
        child=serializers.FloatField(),
        allow_null=True,
        help_text="95 %; null: fewer than 50 clusters of prompts, or all pairs are alike",
    )


class ReviewersShape(serializers.Serializer):
    done = serializers.IntegerField(help_text="Pairs with two blind answers")
    waiting = serializers.IntegerField(help_text="Pairs that wait for their second blind answer")
    defects = serializers.IntegerField(help_text="Pairs with two blind answers and a confirmed defect")
    fewest = serializers.IntegerField(help_text="Number of pairs that are needed before `rows` has anything")
    rows = RowAgreementShape(many=True)


class ReviewersView(SignedInView):
    """`GET studies/{slug}/reviewers/`."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="reviewers_agreement", responses={200: ReviewersShape})
    def get(self, request: Request, slug: str) -> Response:
        """Show how far reviewers agree.

        The figures are of pairs that two of them answered blind, pooled over the study.
        """
        study = deciding_study(request, slug)
        return Response(reviewer_agreement.as_json(reviewer_agreement.reviewer_agreement(study)))
