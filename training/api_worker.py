"""API of training workers: claim a run, keep it, report, upload files, and end it.

A worker needs no database. Its token has the scopes `train` and `export` (to download releases), and belongs to a
person who may train models in the studies whose runs it does.
"""

from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from diptych.rendering import ORJSONRenderer
from training import claims, finishing, uploads
from training.api import FILE_RESPONSES, ModelVersionShape, RunFileShape, send_file, version_json
from training.kinds import LONGEST_OFFERED, OFFERED_HELP, OFFERED_NAME, Kind
from training.models import Run, RunPoint
from training.models.runs import LOG_CHARACTERS
from training.permissions import run_for, run_of_worker
from training.policy import POLICY

STEPS = 2**53
BINARY = "application/octet-stream"
TAKEN_OVER = {409: ("taken_over",)}


class OfferSerializer(serializers.Serializer):
    """The worker, and what its machine has."""

    name = serializers.CharField(max_length=100, help_text="The same at each start; unique among your workers")
    gpus = serializers.IntegerField(default=0, min_value=0, max_value=64)
    gpu_memory_mib = serializers.IntegerField(
        default=0, min_value=0, max_value=10_000_000, help_text="Of the smallest GPU"
    )
    hardware = serializers.CharField(max_length=400, default="", allow_blank=True)
    code_version = serializers.CharField(max_length=80, default="", allow_blank=True)
    backbones = serializers.ListField(
        child=serializers.RegexField(OFFERED_NAME, max_length=LONGEST_OFFERED),
        default=list,
        max_length=100,
        help_text=f"Those that it offers besides small: {OFFERED_HELP}",
    )


class ClaimedVersionShape(serializers.Serializer):
    run = serializers.IntegerField(help_text="The run whose files are the model")
    files = RunFileShape(many=True)


class ClaimedRunShape(serializers.Serializer):
    id = serializers.IntegerField()
    fence = serializers.IntegerField(help_text="Number of the claim. Send it with every request about the run")
    purpose = serializers.ChoiceField(choices=Run.Purpose.choices)
    study = serializers.CharField(help_text="Slug of the study")
    release = serializers.IntegerField(help_text="Number of the release")
    release_id = serializers.IntegerField()
    manifest_sha256 = serializers.CharField(help_text="Of manifest.json of the release")
    kind = serializers.ChoiceField(choices=Kind.choices)
    targets = serializers.ListField(child=serializers.CharField())
    backbone = serializers.CharField()
    seed = serializers.IntegerField()
    seeds = serializers.IntegerField()
    options = serializers.DictField()
    gpus = serializers.IntegerField()
    wall_s = serializers.FloatField(help_text="Seconds that earlier attempts ran")
    beat_every_s = serializers.FloatField(help_text="Seconds between two requests that keep the claim")
    version = ClaimedVersionShape(allow_null=True, help_text="The model to evaluate; null: the run trains")


class ClaimShape(serializers.Serializer):
    run = ClaimedRunShape(allow_null=True, help_text="null: no run waits that this worker can do")


class FenceSerializer(serializers.Serializer):
    fence = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class BeatSerializer(FenceSerializer):
    stage = serializers.CharField(required=False, max_length=80, allow_blank=True)
    steps = serializers.IntegerField(required=False, min_value=0, max_value=STEPS)
    steps_total = serializers.IntegerField(required=False, min_value=0, max_value=STEPS)
    resources = serializers.DictField(required=False, help_text="The last sample and the highest, by name")


class PointSerializer(serializers.Serializer):
    step = serializers.IntegerField(min_value=0, max_value=STEPS)
    loss = serializers.FloatField()
    part = serializers.ChoiceField(
        choices=RunPoint.Part.choices, default=RunPoint.Part.TRAINING, help_text="What the loss is about"
    )


class RunReportSerializer(BeatSerializer):
    points = PointSerializer(many=True, required=False)
    log = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, max_length=LOG_CHARACTERS, help_text="Its end"
    )
    preflight = serializers.DictField(required=False)


class BeatShape(serializers.Serializer):
    cancelled = serializers.BooleanField(help_text="Whether somebody cancelled the run: end the program, put it back")


class FinishSerializer(FenceSerializer):
    metrics = serializers.ListField(child=serializers.DictField(), max_length=finishing.MOST_METRICS)
    files = serializers.DictField(child=serializers.CharField(max_length=64), help_text="SHA-256 by path")
    wall_s = serializers.FloatField(min_value=0, max_value=10**9)


class FinishedShape(serializers.Serializer):
    version = ModelVersionShape(allow_null=True, help_text="null: the run only evaluated")


class FailSerializer(FenceSerializer):
    code = serializers.CharField(max_length=40, help_text="For programs, such as non_finite_loss")
    message = serializers.CharField(max_length=claims.LONGEST_SENTENCE, help_text="For people")
    items = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, default=list, max_length=claims.MOST_ITEMS
    )


class PutBackSerializer(FenceSerializer):
    trouble = serializers.CharField(max_length=claims.LONGEST_SENTENCE, help_text="For people: what prevents it now")
    counted = serializers.BooleanField(default=True, help_text="Whether it counts as an attempt")


class RunStateShape(serializers.Serializer):
    state = serializers.ChoiceField(choices=Run.State.choices)


class WorkerView(SignedInView):
    """A request of a worker about a run that it has claimed."""

    scopes = {"POST": "train"}
    refusals: Any = TAKEN_OVER

    def body(self, serializer: type[serializers.Serializer]) -> tuple[int, dict[str, Any]]:
        """Return the fence and the other fields of the body. Raise ValidationError."""
        parsed = serializer(data=self.request.data)
        parsed.is_valid(raise_exception=True)
        given = dict(parsed.validated_data)
        return given.pop("fence"), given


class ClaimView(SignedInView):
    """`POST runs/claim/`."""

    scopes = {"POST": "train"}

    @extend_schema(operation_id="runs_claim", request=OfferSerializer, responses={200: ClaimShape})
    def post(self, request: Request) -> Response:
        """Claim a training run for a worker.

        The response has the first waiting run of your studies that needs no more than the worker has, or null.

        The claim holds while the worker sends a beat at least every 90 seconds. After that another worker can claim the
        run, and requests with the old `fence` get 409.
        """
        body = OfferSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        run = claims.claim(self.person, claims.Offer(**body.validated_data))
        return Response({"run": claimed_json(run) if run else None})


def claimed_json(run: Run) -> dict[str, Any]:
    """Return what a worker must know to do a run."""
    manifest = run.release.files.get(path="manifest.json")
    evaluated = None
    if run.version is not None:
        files = finishing.files_of(run.version.run).filter(path__startswith="model/")
        listed = [{"path": file.path, "sha256": file.sha256, "bytes": file.byte_size} for file in files]
        evaluated = {"run": run.version.run_id, "files": listed}
    return {
        "id": run.pk,
        **{name: getattr(run, name) for name in ("fence", "purpose", "seed", "seeds", "options", "gpus")},
        "study": run.study.slug,
        "release": run.release.number,
        "release_id": run.release_id,
        "manifest_sha256": manifest.sha256,
        "kind": run.family.kind,
        "targets": run.family.targets,
        "backbone": run.family.backbone,
        "wall_s": run.wall_s or 0.0,
        "beat_every_s": POLICY.beat_every_s,
        "version": evaluated,
    }


class BeatView(WorkerView):
    """`POST runs/{id}/beat/`."""

    @extend_schema(operation_id="runs_beat", request=BeatSerializer, responses={200: BeatShape})
    def post(self, request: Request, run_id: int) -> Response:
        """Keep the claim of a run, and ask whether it is cancelled."""
        run = run_of_worker(request, run_id)
        fence, progress = self.body(BeatSerializer)
        return Response({"cancelled": claims.beat(run, fence, **progress)})


class ReportView(WorkerView):
    """`POST runs/{id}/report/`."""

    @extend_schema(operation_id="runs_report", request=RunReportSerializer, responses={200: BeatShape})
    def post(self, request: Request, run_id: int) -> Response:
        """Report the progress of a run.

        It is a beat, too. Repeating it is harmless: a point replaces that of the same part and step, and `log` is the
        end of the whole log.
        """
        run = run_of_worker(request, run_id)
        fence, given = self.body(RunReportSerializer)
        points = [(point["part"], point["step"], point["loss"]) for point in given.pop("points", [])]
        claims.refuse_not_finite([loss for _part, _step, loss in points], "points")
        return Response({"cancelled": claims.report(run, fence, points=points, **given)})


class FinishView(WorkerView):
    """`POST runs/{id}/finish/`."""

    refusals = {409: ("taken_over", "cancelled", "missing_files", "not_complete"), 410: ("withdrawn",)}

    @extend_schema(operation_id="runs_finish", request=FinishSerializer, responses={200: FinishedShape})
    def post(self, request: Request, run_id: int) -> Response:
        """End a run whose program is done.

        All files must have been uploaded with this claim. A run that trains gets a model version. Repeating it is
        harmless.
        """
        run = run_of_worker(request, run_id)
        fence, given = self.body(FinishSerializer)
        finishing.finish(run, fence, **given)
        return Response({"version": version_json(run)})


class FailView(WorkerView):
    """`POST runs/{id}/fail/`."""

    @extend_schema(operation_id="runs_fail", request=FailSerializer, responses={200: RunStateShape})
    def post(self, request: Request, run_id: int) -> Response:
        """End a run whose program failed for good.

        Nothing of it is published. Repeating it is harmless.
        """
        run = run_of_worker(request, run_id)
        fence, given = self.body(FailSerializer)
        claims.fail(run, fence, **given)
        return Response({"state": Run.State.FAILED})


class PutBackView(WorkerView):
    """`POST runs/{id}/put-back/`."""

    @extend_schema(operation_id="runs_put_back", request=PutBackSerializer, responses={200: RunStateShape})
    def post(self, request: Request, run_id: int) -> Response:
        """Give the claim of a run up.

        After a pause, any worker can continue it. A run that somebody cancelled ends as cancelled. One whose counted
        attempts are used up fails.
        """
        run = run_of_worker(request, run_id)
        fence, given = self.body(PutBackSerializer)
        return Response({"state": claims.put_back(run, fence, **given).state})


class UploadQuery(serializers.Serializer):
    fence = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    sha256 = serializers.RegexField("^[0-9a-f]{64}$", help_text="Of the whole file")


class RunFileView(SignedInView):
    """`GET` and `PUT runs/{id}/files/{path}`."""

    scopes = {"GET": "export", "PUT": "train"}
    query = {"PUT": UploadQuery}
    refusals: Any = {
        ("PUT", 400): ("incomplete", "wrong_sha256"),
        ("PUT", 409): ("taken_over", "cancelled", "another_file"),
        ("PUT", 415): ("unsupported_media_type",),
        ("GET", 409): ("not_complete",),
        ("GET", 410): ("withdrawn",),
        ("GET", 416): ("range_not_satisfiable",),
    }
    renderer_classes = [ORJSONRenderer]

    @extend_schema(operation_id="runs_file", responses=FILE_RESPONSES)
    def get(self, request: Request, run_id: int, path: str) -> HttpResponseBase:
        """Download a file of a run.

        The run must be done. The bytes never change, so a broken download can be continued with a range.
        """
        return send_file(request, run_for(request, run_id), path)

    @extend_schema(operation_id="runs_upload", request={BINARY: OpenApiTypes.BINARY}, responses={200: RunFileShape})
    def put(self, request: Request, run_id: int, path: str) -> Response:
        """Upload a file of a run.

        The file is stored with all its bytes or not at all. The status is 400 if they do not have the stated SHA-256:
        send the file again. Repeating it is harmless.
        """
        run = run_of_worker(request, run_id)
        asked = self.asked()
        if request.content_type != BINARY:
            raise UnsupportedMediaType(request.content_type)
        length = request.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and len(length) <= 16):
            raise ParseError(_("The header %(name)s must be a number of bytes.") % {"name": "Content-Length"})
        file = uploads.store(
            run, asked["fence"], path, sha256=asked["sha256"], size=int(length), read=request._request.read
        )
        return Response({"path": file.path, "sha256": file.sha256, "bytes": file.byte_size})
