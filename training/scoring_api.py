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
from training.permissions import own_version, run_of_worker, version_for


class WantedVideosSerializer(serializers.Serializer):
    """Which videos to score."""

    videos = serializers.ListField(
        child=serializers.CharField(max_length=64),
        required=False,
        default=list,
        max_length=scoring.MOST_VIDEOS,
        help_text="Published ids; empty: the first videos of the study without a score",
    )


class AskedVideoSerializer(serializers.Serializer):
    """A video: its published id, or the SHA-256 of its original file with its prompt."""

    video = serializers.CharField(required=False, max_length=64)
    sha256 = serializers.CharField(required=False, max_length=64)
    prompt = serializers.CharField(required=False, max_length=20_000, trim_whitespace=False)


class AskedVideosSerializer(serializers.Serializer):
    videos = serializers.ListField(child=AskedVideoSerializer(), max_length=scoring.MOST_VIDEOS)


class VideoScoresShape(serializers.Serializer):
    video = serializers.CharField(allow_null=True, help_text="Published id; null: the study has no such video")
    prompt = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(choices=[(name, name) for name in scoring.STATES])
    scores = serializers.DictField(allow_null=True, help_text="By target or tag; null: not scored")


class ScoresShape(serializers.Serializer):
    videos = VideoScoresShape(many=True, help_text="In the order of the request")


class ScoresView(SignedInView):
    """`POST models/{id}/scores/`."""

    scopes = {"POST": "export"}

    @extend_schema(operation_id="models_scores", request=AskedVideosSerializer, responses={200: ScoresShape})
    def post(self, request: Request, version_id: int) -> Response:
        """Read the scores that a model version gave to videos.

        The response says for each video whether it is scored, is ready to be scored, or is not in the study.
        """
        version = version_for(request, version_id)
        body = AskedVideosSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({"videos": scoring.find(version, body.validated_data["videos"])})


class ScoreView(SignedInView):
    """`POST models/{id}/score/`."""

    scopes = {"POST": "manage"}
    refusals = {
        409: ("not_promoted", "nothing_to_score", "busy", "not_complete", "no_worker_offers"),
        410: ("withdrawn",),
    }

    @extend_schema(operation_id="models_score", request=WantedVideosSerializer, responses={202: RunDetailShape})
    def post(self, request: Request, version_id: int) -> Response:
        """Score new videos with a promoted model version.

        A training worker scores up to 1,000 videos of the study that this version has not scored yet. The scores become
        labels of the videos. Annotators never see them. `videos` limits the run to these videos.
        """
        version = own_version(request, version_id)
        body = WantedVideosSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        run = scoring.ask(version, actor=self.person, videos=body.validated_data["videos"])
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
