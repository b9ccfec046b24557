"""The API of imports: start one, follow it, cancel it, and download its bad rows."""

from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from diptych import json_lines
from importing import job_pages, jobs
from importing.models import Import
from importing.permissions import import_for
from importing.views import bad_rows
from sources.name_encodings import CODE_PAGES
from sources.sentences import worded
from studies.permissions import MAY_IMPORT, study_for

#: The most imports in a list. The newest come first.
MOST_LISTED = 200


class OptionsSerializer(serializers.Serializer):
    """Options of an import. Options that are not given follow the study."""

    pairs = serializers.RegexField(
        r"^(all|listed|random:[1-9][0-9]*)\Z",
        required=False,
        help_text="all, listed, or random:N per prompt. Default: listed if the manifest lists pairs, else all",
    )
    batch_size = serializers.IntegerField(required=False, min_value=1, max_value=100_000)
    overlap = serializers.IntegerField(required=False, min_value=1, max_value=100)
    seed = serializers.IntegerField(required=False)
    name_encoding = serializers.ChoiceField(
        choices=list(CODE_PAGES),
        required=False,
        help_text="Encoding of file names in an archive that does not state it. Default: the paths of the manifest "
        "decide, or the import stops and asks",
    )
    skip_bad = serializers.BooleanField(required=False, help_text="Import the good rows even if others are bad")
    dry_run = serializers.BooleanField(
        required=False, help_text="Check the files and report problems without importing anything"
    )


class AskSerializer(serializers.Serializer):
    source = serializers.ChoiceField(choices=Import.Source.choices)  # type: ignore[assignment]  # no field's own
    location = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=1000,
        help_text="A folder, manifest or archive on the server, or s3://bucket/key. Empty for uploads",
    )
    options = OptionsSerializer(required=False, default=dict)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(self.initial_data.get("options", {})) - set(OptionsSerializer().fields))
        if unknown:
            raise serializers.ValidationError({"options": {name: [_("There is no such option.")] for name in unknown}})
        return attrs


class StageShape(serializers.Serializer):
    """A line of the log: the beginning of a stage, or the end of the import."""

    stage = serializers.CharField()
    at = serializers.DateTimeField()
    total = serializers.IntegerField(required=False)
    reason = serializers.CharField(required=False)


class ImportShape(serializers.Serializer):
    id = serializers.CharField()
    study = serializers.CharField()
    source = serializers.ChoiceField(choices=Import.Source.choices)  # type: ignore[assignment]  # no field's own
    location = serializers.CharField(allow_blank=True)
    options = serializers.DictField()
    state = serializers.ChoiceField(choices=Import.State.choices)
    reason = serializers.CharField(allow_blank=True, help_text="Why it failed, in the language of the request")
    name_readings = serializers.DictField(
        child=serializers.CharField(),
        help_text="If the import stopped to ask for the encoding of an archive's file names: how the first names read "
        "in each likely encoding. Start it again with one of them as `name_encoding`",
    )
    stage = serializers.CharField(allow_blank=True)
    steps = serializers.IntegerField(help_text="Finished steps of the stage")
    steps_total = serializers.IntegerField()
    report = serializers.DictField(
        allow_null=True,
        help_text="Counts, warnings, ignored files, the encoding of names, and the faults that many bad rows share "
        "(causes: number, total, the first row, and the names of the first rows), once the import is done or refused",
    )
    bad_rows = serializers.IntegerField(help_text="Number of problems in bad rows. A row can have several.")
    number = serializers.IntegerField(
        help_text="Number of the import, which the library and its CSV files show for what it added"
    )
    undone_at = serializers.DateTimeField(allow_null=True, help_text="When the rows that it added were removed")
    cancel_asked_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class ImportWithLogShape(ImportShape):
    log = StageShape(many=True)


class ImportsShape(serializers.Serializer):
    imports = ImportShape(many=True)


class ImportsView(SignedInView):
    """`GET` and `POST studies/{slug}/imports/`."""

    scopes = {"GET": "read", "POST": "manage"}

    @extend_schema(operation_id="imports_list", responses={200: ImportsShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the imports.

        The newest comes first.
        """
        study = study_for(request, slug, roles=MAY_IMPORT)
        newest = Import.objects.filter(study=study).select_related("study").order_by("-created_at", "-pk")
        return Response({"imports": [import_json(job) for job in newest[:MOST_LISTED]]})

    @extend_schema(
        operation_id="imports_ask",
        request=AskSerializer,
        responses={201: ImportWithLogShape},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Start an import.

        An import from the server waits for a worker. An import of uploads collects files.
        """
        study = study_for(request, slug, roles=MAY_IMPORT)
        body = AskSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        job = jobs.ask(
            study,
            source=asked["source"],
            location=asked["location"],
            options=asked["options"],
            actor=self.person,
        )
        job.refresh_from_db()
        return Response(import_json(job) | {"log": log_json(job)}, status=201)


class BeginView(SignedInView):
    """`POST imports/{import_id}/begin/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("not_yet",)}

    @extend_schema(request=None, responses={200: ImportWithLogShape})
    def post(self, request: Request, import_id: str) -> Response:
        """Begin an import of uploaded files.

        It responds 409 while a file is not fully uploaded. Repeating it is harmless.
        """
        job = import_for(request, import_id)
        jobs.begin(job, actor=self.person)
        job.refresh_from_db()
        return Response(import_json(job) | {"log": log_json(job)})


class ImportView(SignedInView):
    """`GET imports/{import_id}/`."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="imports_read", responses={200: ImportWithLogShape})
    def get(self, request: Request, import_id: str) -> Response:
        """Read an import.

        The response has its progress and its outcome.
        """
        job = import_for(request, import_id)
        return Response(import_json(job) | {"log": log_json(job)})


class CancelView(SignedInView):
    """`POST imports/{import_id}/cancel/`."""

    scopes = {"POST": "manage"}

    @extend_schema(request=None, responses={200: ImportWithLogShape})
    def post(self, request: Request, import_id: str) -> Response:
        """Cancel an import.

        It ends immediately if it waits, or at its next step if it runs. An ended one does not change.
        """
        job = import_for(request, import_id)
        jobs.cancel(job, actor=self.person)
        job.refresh_from_db()
        return Response(import_json(job) | {"log": log_json(job)})


class AgainSerializer(serializers.Serializer):
    options = OptionsSerializer(required=False, default=dict, help_text="Options that differ from those of the import")


class AgainView(SignedInView):
    """`POST imports/{import_id}/again/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("not_yet",)}

    @extend_schema(operation_id="imports_again", request=AgainSerializer, responses={200: ImportWithLogShape})
    def post(self, request: Request, import_id: str) -> Response:
        """Start an ended import again.

        You can add, for example, the encoding of file names that it asked for.

        An import of uploads keeps its id and its files. An import from the server becomes a new one. The response is
        the import to follow. It responds 409 if the import has not ended.
        """
        job = import_for(request, import_id)
        body = AgainSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        job = jobs.again(job, actor=self.person, options=job.options | body.validated_data["options"])
        job.refresh_from_db()
        return Response(import_json(job) | {"log": log_json(job)})


class BadRowsQuery(serializers.Serializer):
    cause = serializers.IntegerField(
        required=False, min_value=1, max_value=10**9, help_text="Return only the rows with this shared fault"
    )


class BadRowsView(json_lines.JSONLinesDownload, SignedInView):
    """`GET imports/{import_id}/bad-rows/`."""

    scopes = {"GET": "read"}
    query = {"GET": BadRowsQuery}

    @extend_schema(responses=json_lines.RESPONSES)
    def get(self, request: Request, import_id: str) -> HttpResponseBase:
        """Download the bad rows of an import.

        Each problem is one JSON object on a line of its own: file, line, field and the reason in English.

        `message` and `values` are the reason's template and what it is filled with. `cause` is the number of a fault
        that many rows share, as the import's report has it in `causes`. It responds 404 if there are no bad rows.
        """
        job = import_for(request, import_id)
        query = BadRowsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        cause = query.validated_data.get("cause")
        return bad_rows(request._request, job, job_pages.copy_as_jsonl, "jsonl", json_lines.MEDIA_TYPE, cause)


def log_json(job: Import) -> list[dict[str, Any]]:
    """Return the lines of the log, with reasons in the language of the request."""
    return [line | ({"reason": worded(line["reason"])} if "reason" in line else {}) for line in job.log]


def import_json(job: Import) -> dict[str, Any]:
    """Return an import as everybody who can import into the study sees it."""
    return {
        "id": job.public_id,
        "study": job.study.slug,
        "source": job.source,
        "location": job.location,
        "options": job.options,
        "state": job.state,
        "reason": job_pages.reason(job),
        "name_readings": {key: names for key, _label, names in job_pages.readings(job)},
        "stage": job.stage,
        "steps": job.steps,
        "steps_total": job.steps_total,
        "report": job.report and job.report | {"warnings": job_pages.warnings(job), "causes": job_pages.causes(job)},
        "bad_rows": job.bad_rows,
        "number": job.pk,
        "undone_at": job.undone_at,
        "cancel_asked_at": job.cancel_asked_at,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }
