"""API of runs for people: queue them, list them, read one, cancel it, let it run again, and download its files."""

from typing import Any

from django.core.files.storage import default_storage
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from diptych.downloads import send_stored
from diptych.refusals import NotThere, Refused
from media.stored_files import trouble_of_storage
from releases.permissions import numbered
from training import queueing
from training.finishing import files_of
from training.kinds import BACKBONES, LONGEST_OFFERED, OFFERED_HELP, TARGETS, Kind
from training.models import ModelVersion, Run, RunPoint
from training.models.runs import MOST_SEEDS
from training.permissions import own_run, run_for, runs_study, training_study

#: The most rows in a list. The latest come first.
MOST_LISTED = 200
#: The most points of a loss curve in a response. Of a longer one, evenly spaced points are sent.
MOST_POINTS = 2000
LARGEST_ID = 2**31 - 1
BACKBONE_HELP = f"{', '.join(BACKBONES)}, or one that a worker offers: {OFFERED_HELP}"


class RunOptionsSerializer(serializers.Serializer):
    policies = serializers.DictField(
        child=serializers.CharField(max_length=queueing.LONGEST_POLICY),
        required=False,
        help_text="What the pre-flight does with each kind of pair that it finds, such as {'contradictions': 'keep'}",
    )
    max_steps = serializers.IntegerField(required=False, min_value=1, max_value=queueing.MOST_STEPS)


class NewRunSerializer(serializers.Serializer):
    """What to train, and on which release."""

    release = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, help_text="Number of a complete release")
    kind = serializers.ChoiceField(choices=Kind.choices)
    targets = serializers.ListField(
        child=serializers.ChoiceField(choices=[(name, name) for name in TARGETS]),
        required=False,
        default=list,
        max_length=len(TARGETS),
        help_text="Of a reward model; several make one model with several heads. harmlessness is the cost model",
    )
    backbone = serializers.CharField(default="small", max_length=LONGEST_OFFERED, help_text=BACKBONE_HELP)
    seed = serializers.IntegerField(default=1, min_value=0, max_value=queueing.LARGEST_SEED - MOST_SEEDS)
    seeds = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=MOST_SEEDS, help_text="null: by backbone"
    )
    gpus = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=64, help_text="null: by backbone"
    )
    gpu_memory_mib = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=1_000_000, help_text="null: by backbone"
    )
    options = RunOptionsSerializer(required=False)


class RunFileShape(serializers.Serializer):
    path = serializers.CharField()
    sha256 = serializers.CharField()
    bytes = serializers.IntegerField()


class ModelVersionShape(serializers.Serializer):
    id = serializers.IntegerField()
    family = serializers.CharField(help_text="What it was trained on, such as helpfulness")
    backbone = serializers.CharField()
    number = serializers.IntegerField(help_text="Number in its family")
    state = serializers.ChoiceField(choices=ModelVersion.State.choices)


class RunShape(serializers.Serializer):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Run.State.choices)
    purpose = serializers.ChoiceField(choices=Run.Purpose.choices)
    reason = serializers.CharField(allow_blank=True, help_text="Why it failed, or why it waits")
    release = serializers.IntegerField(help_text="Number of the release")
    kind = serializers.ChoiceField(choices=Kind.choices)
    targets = serializers.ListField(child=serializers.CharField())
    backbone = serializers.CharField()
    seed = serializers.IntegerField()
    seeds = serializers.IntegerField()
    options = serializers.DictField()
    gpus = serializers.IntegerField()
    gpu_memory_mib = serializers.IntegerField()
    asked_because = serializers.ChoiceField(choices=Run.Because.choices)
    worker = serializers.CharField(allow_null=True, help_text="Name of its last worker")
    stage = serializers.CharField(allow_blank=True)
    done = serializers.IntegerField(help_text="Completed steps of the stage")
    total = serializers.IntegerField(help_text="Steps of the stage; 0: not known")
    loss = serializers.FloatField(allow_null=True)
    attempts = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    wall_s = serializers.FloatField(allow_null=True, help_text="Seconds that its program ran")


class RunDetailShape(RunShape):
    hardware = serializers.CharField(allow_blank=True)
    code_version = serializers.CharField(allow_blank=True)
    resources = serializers.DictField(help_text="Memory and use of processors and GPUs: the last and the highest")
    points = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()), help_text="Steps and losses"
    )
    validation_points = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()), help_text="Steps and losses on validation clusters"
    )
    log = serializers.CharField(allow_blank=True, help_text="End of what the program wrote")
    preflight = serializers.DictField(allow_null=True)
    metrics = serializers.ListField(child=serializers.DictField(), allow_null=True)
    fault = serializers.DictField(help_text="Of a program that failed: `code`, and `items`, the pairs that it names")
    files = RunFileShape(many=True)
    version = ModelVersionShape(allow_null=True, help_text="The version that the run made")


class RunsShape(serializers.Serializer):
    runs = RunShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`before` of the next page; null: this is the last page")


class RunsQuery(serializers.Serializer):
    before = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)


def run_json(run: Run) -> dict[str, Any]:
    """Return a run as the JSON of the API."""
    names = ("state", "purpose", "reason", "seed", "seeds", "options", "gpus", "gpu_memory_mib", "asked_because")
    more = ("stage", "loss", "attempts", "created_at", "started_at", "finished_at", "wall_s")
    return {
        "id": run.pk,
        **{name: getattr(run, name) for name in (*names, *more)},
        "release": run.release.number,
        "kind": run.family.kind,
        "targets": run.family.targets,
        "backbone": run.family.backbone,
        "worker": run.worker.name if run.worker else None,
        "done": run.steps,
        "total": run.steps_total,
    }


def detail_json(run: Run) -> dict[str, Any]:
    """Return a run with its loss curve, its log, its metrics and its files."""
    names = ("hardware", "code_version", "resources", "log", "preflight", "metrics", "fault")
    files = files_of(run) if run.state == Run.State.DONE else []
    return run_json(run) | {
        **{name: getattr(run, name) for name in names},
        "points": points_of(run, RunPoint.Part.TRAINING),
        "validation_points": points_of(run, RunPoint.Part.VALIDATION),
        "files": [{"path": file.path, "sha256": file.sha256, "bytes": file.byte_size} for file in files],
        "version": version_json(run),
    }


def points_of(run: Run, part: str) -> list[tuple[int, float]]:
    """Return the loss curve: all points, or at most about `MOST_POINTS` evenly spaced ones with the last."""
    points = list(run.points.filter(part=part).order_by("step").values_list("step", "loss"))
    apart = -(-len(points) // MOST_POINTS) or 1
    return points[::-apart][::-1]


def version_json(run: Run) -> dict[str, Any] | None:
    """Return the version that a run made as JSON, or None."""
    made = ModelVersion.objects.filter(run=run).first()
    if made is None:
        return None
    return {
        "id": made.pk,
        "family": run.family.key,
        "backbone": run.family.backbone,
        "number": made.number,
        "state": made.state,
    }


class RunsView(SignedInView):
    """`GET` and `POST studies/{slug}/runs/`."""

    scopes = {"GET": "export", "POST": "manage"}
    query = {"GET": RunsQuery}
    refusals = {("POST", 409): ("busy", "not_complete", "no_videos", "no_worker_offers"), ("POST", 410): ("withdrawn",)}

    @extend_schema(operation_id="runs_list", responses={200: RunsShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the training runs of a study.

        The latest comes first.
        """
        study = runs_study(request, slug)
        found = Run.objects.filter(study=study).select_related("release", "family", "worker").order_by("-pk")
        if before := self.asked().get("before"):
            found = found.filter(pk__lt=before)
        rows = list(found[: MOST_LISTED + 1])
        page = rows[:MOST_LISTED]
        following = page[-1].pk if len(rows) > len(page) else None
        return Response({"runs": [run_json(run) for run in page], "next": following})

    @extend_schema(operation_id="runs_queue", request=NewRunSerializer, responses={202: RunDetailShape})
    def post(self, request: Request, slug: str) -> Response:
        """Queue a training run.

        A training worker does it. `GET runs/{id}/` shows its progress.

        The status is 409 with `no_worker_offers` if the run needs more than any worker has that asked for runs lately.
        """
        study = training_study(request, slug)
        body = NewRunSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        release = numbered(study, given.pop("release"))
        release.study = study
        run = queueing.ask(release, queueing.Wanted(**given), actor=self.person)
        return Response(detail_json(run), status=202)


class RunView(SignedInView):
    """`GET runs/{id}/`."""

    scopes = {"GET": "export"}

    @extend_schema(operation_id="runs_read", responses={200: RunDetailShape})
    def get(self, request: Request, run_id: int) -> Response:
        """Read a training run.

        The response has its state, its progress, its log, its metrics and its files.
        """
        return Response(detail_json(run_for(request, run_id)))


class CancelRunView(SignedInView):
    """`POST runs/{id}/cancel/`."""

    scopes = {"POST": "manage"}

    @extend_schema(operation_id="runs_cancel", request=None, responses={200: RunDetailShape})
    def post(self, request: Request, run_id: int) -> Response:
        """Cancel a training run.

        Its worker ends the program within a few seconds. Repeating it is harmless.
        """
        queueing.cancel(own_run(request, run_id), actor=self.person)
        return Response(detail_json(run_for(request, run_id)))


class RunAgainView(SignedInView):
    """`POST runs/{id}/again/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("busy", "not_ended", "not_complete"), 410: ("withdrawn",)}

    @extend_schema(operation_id="runs_again", request=None, responses={200: RunDetailShape})
    def post(self, request: Request, run_id: int) -> Response:
        """Let a run that failed or was cancelled run again.

        It continues from its last checkpoint, if the same worker takes it.
        """
        queueing.again(own_run(request, run_id), actor=self.person)
        return Response(detail_json(run_for(request, run_id)))


CONTENT_TYPES = {"json": "application/json", "md": "text/markdown; charset=utf-8"}


def send_file(request: Request, run: Run, path: str) -> HttpResponseBase:
    """Respond with a file of a run that is done. Raise NotThere or Refused."""
    if run.state != Run.State.DONE:
        raise Refused(_("The run is not done, so it has no files."), "not_complete")
    if ModelVersion.objects.filter(run=run, state=ModelVersion.State.WITHDRAWN).exists():
        raise Refused(_("This model version was withdrawn."), "withdrawn", status=410)
    file = files_of(run).filter(path=path).first()
    if file is None:
        raise NotThere(_("Run %(n)s has no file %(path)s.") % {"n": run.pk, "path": path})
    with trouble_of_storage():
        content = default_storage.open(file.stored_name)
    name = path.rpartition("/")[2]
    kind = CONTENT_TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    return send_stored(
        request._request,
        content,
        name=f"run-{run.pk}-{name}",
        content_type=kind,
        size=file.byte_size,
        sha256=file.sha256,
        at=file.created_at,
    )


FILE_RESPONSES: Any = {(status, "application/octet-stream"): OpenApiTypes.BINARY for status in (200, 206)}
