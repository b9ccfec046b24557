"""API of scoring: queue it, and give a worker the videos with their prompts and frames."""

import base64
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from diptych.refusals import NotThere
from media.stored_files import trouble_of_storage
from training import scoring
from training.api import LARGEST_ID, RunDetailShape, detail_json
from training.models import Run
from training.permissions import own_version, run_of_worker


class ScoreView(SignedInView):
    """`POST models/{id}/score/`."""

    scopes = {"POST": "manage"}
    refusals = {
        409: ("not_promoted", "nothing_to_score", "busy", "not_complete", "no_worker_offers"),
        410: ("withdrawn",),
    }

    @extend_schema(operation_id="models_score", request=None, responses={202: RunDetailShape})
    def post(self, request: Request, version_id: int) -> Response:
        """Score new videos with a promoted model version.

        A training worker scores up to 1,000 videos of the study that this version has not scored yet. The scores become
        labels of the videos. Annotators never see them.
        """
        run = scoring.ask(own_version(request, version_id), actor=self.person)
        return Response(detail_json(run), status=202)


class ItemShape(serializers.Serializer):
    id = serializers.CharField(help_text="Published id of the video")
    prompt = serializers.CharField()
    frames = serializers.ListField(
        child=serializers.CharField(), help_text="JPEG files in the order of time, in Base64"
    )


class ItemsShape(serializers.Serializer):
    items = ItemShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`after` of the next page; null: there is none")


class ItemsQuery(serializers.Serializer):
    after = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST_ID)


class ItemsView(SignedInView):
    """`GET runs/{id}/items/`."""

    scopes = {"GET": "train"}
    query = {"GET": ItemsQuery}

    @extend_schema(operation_id="runs_items", responses={200: ItemsShape})
    def get(self, request: Request, run_id: int) -> Response:
        """List what a worker must score.

        Only the worker that has the run gets its videos.
        """
        run = run_of_worker(request, run_id)
        if run.purpose != Run.Purpose.SCORE or run.state != Run.State.RUNNING:
            raise NotThere(_("Run %(n)s has no videos to score.") % {"n": run.pk})
        with trouble_of_storage():
            found = list(scoring.items(run, self.asked().get("after", 0)))
        rows: list[dict[str, Any]] = [
            about | {"frames": [base64.b64encode(frame).decode() for frame in frames]} for _pk, about, frames in found
        ]
        following = found[-1][0] if len(found) == scoring.VIDEOS_A_PAGE else None
        return Response({"items": rows, "next": following})
