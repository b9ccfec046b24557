"""A person's own progress, for the workspace and for programs."""

from dataclasses import asdict

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from accounts.days import day_began
from annotation.own_progress import MOST_LEFT, NOTHING_YET, own_progress
from annotation.permissions import annotated_study


class WhichBatchSerializer(serializers.Serializer):
    """Query parameters for one's own progress."""

    batch = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text="Number of a batch; default: the batch of the current pair, or else of the last answer",
    )


class BatchPlaceShape(serializers.Serializer):
    number = serializers.IntegerField()
    answered = serializers.IntegerField(help_text="Pairs of the batch that the person has answered")
    left = serializers.IntegerField(
        help_text=f"The most pairs that the person can still be given; {MOST_LEFT + 1} means more than {MOST_LEFT}"
    )


class TodayShape(serializers.Serializer):
    answers = serializers.IntegerField(help_text="Pairs answered today")
    active_ms = serializers.IntegerField(help_text="Milliseconds of active time in these answers")


class OwnProgressShape(serializers.Serializer):
    today = TodayShape(help_text="In the person’s time zone")
    batch = BatchPlaceShape(allow_null=True)


class OwnProgressView(SignedInView):
    """`GET studies/{slug}/own-progress/`."""

    scopes = {"GET": "annotate"}
    query = {"GET": WhichBatchSerializer}

    @extend_schema(operation_id="studies_own_progress", responses={200: OwnProgressShape})
    def get(self, request: Request, slug: str) -> Response:
        """Show your own progress.

        It is counted for today and for one batch.
        """
        study = annotated_study(request, slug)
        batch = self.asked().get("batch")
        began = day_began(self.person, timezone.now())
        found = own_progress(self.person, [study.pk], began, batch=batch).get(study.pk, NOTHING_YET)
        return Response(
            {
                "today": {"answers": found.answers, "active_ms": found.active_ms},
                "batch": asdict(found.batch) if found.batch else None,
            }
        )
