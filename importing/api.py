"""Imports for programs: ask for one, follow it, cancel it, and fetch its bad rows."""

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
from importing.name_encodings import CODE_PAGES
from importing.permissions import import_for
from importing.views import bad_rows
from studies.permissions import MAY_IMPORT, study_for

#: Imports that a list has at most; the newest come first.
MOST_LISTED = 200


class OptionsSerializer(serializers.Serializer):
    """How to import; what is left out follows the study."""

    pairs = serializers.RegexField(
        r"^(all|listed|random:[1-9][0-9]*)\Z",
        required=False,
        help_text="all, listed, or random:N a prompt; left out: listed if pairs are listed, else all",
    )
    batch_size = serializers.IntegerField(required=False, min_value=1, max_value=100_000)
    overlap = serializers.IntegerField(required=False, min_value=1, max_value=100)
    seed = serializers.IntegerField(required=False)
    name_encoding = serializers.ChoiceField(
        choices=list(CODE_PAGES),
        required=False,
        help_text="The code page of the names in an archive that does not say it; left out: found out, see the report",
    )
    skip_bad = serializers.BooleanField(required=False, help_text="Import the good rows although others are bad")
    dry_run = serializers.BooleanField(required=False, help_text="Say what would happen, and keep nothing")


class AskSerializer(serializers.Serializer):
    source = serializers.ChoiceField(choices=Import.Source.choices)  # type: ignore[assignment]  # no field's own
    location = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=1000,
        help_text="A folder, manifest or archive on the server, or s3://bucket/key; none for uploads",
    )
    options = OptionsSerializer(required=False, default=dict)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(self.initial_data.get("options", {})) - set(OptionsSerializer().fields))
        if unknown:
            raise serializers.ValidationError({"options": {name: [_("There is no such option.")] for name in unknown}})
        return attrs


class StageShape(serializers.Serializer):
    """A line of the log: a stage begun, or what stopped it."""

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
    reason = serializers.CharField(allow_blank=True, help_text="Why it failed")
    stage = serializers.CharField(allow_blank=True)
    steps = serializers.IntegerField(help_text="Done of the stage")
    steps_total = serializers.IntegerField()
    report = serializers.DictField(
        allow_null=True,
        help_text="Counts, warnings, files that were left out, and the code page of names, once it is done or refused",
    )
    bad_rows = serializers.IntegerField()
    number = serializers.IntegerField(help_text="Marks what it added, in the library and its CSV files")
    undone_at = serializers.DateTimeField(allow_null=True, help_text="When what it added was removed again")
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
        """The study's imports, the newest first."""
        study = study_for(request, slug, roles=MAY_IMPORT)
        newest = Import.objects.filter(study=study).select_related("study").order_by("-created_at", "-pk")
        return Response({"imports": [import_json(job) for job in newest[:MOST_LISTED]]})

    @extend_schema(
        operation_id="imports_ask",
        request=AskSerializer,
        responses={201: ImportWithLogShape},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Asks for an import: one of a place on the server waits for a worker, one of uploads collects them first."""
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
        return Response(import_json(job) | {"log": job.log}, status=201)


class BeginView(SignedInView):
    """`POST imports/{import_id}/begin/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("not_yet",)}

    @extend_schema(request=None, responses={200: ImportWithLogShape})
    def post(self, request: Request, import_id: str) -> Response:
        """Lets an import of uploads begin: 409 while one of them is not whole. Repeating it is harmless."""
        job = import_for(request, import_id)
        jobs.begin(job, actor=self.person)
        job.refresh_from_db()
        return Response(import_json(job) | {"log": job.log})


class ImportView(SignedInView):
    """`GET imports/{import_id}/`."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="imports_read", responses={200: ImportWithLogShape})
    def get(self, request: Request, import_id: str) -> Response:
        """One import: how far it is, and what came of it."""
        job = import_for(request, import_id)
        return Response(import_json(job) | {"log": job.log})


class CancelView(SignedInView):
    """`POST imports/{import_id}/cancel/`."""

    scopes = {"POST": "manage"}

    @extend_schema(request=None, responses={200: ImportWithLogShape})
    def post(self, request: Request, import_id: str) -> Response:
        """Cancels it: at once where it waits, at its next step where it runs. One that ended stays as it is."""
        job = import_for(request, import_id)
        jobs.cancel(job, actor=self.person)
        job.refresh_from_db()
        return Response(import_json(job) | {"log": job.log})


class BadRowsView(json_lines.JSONLinesDownload, SignedInView):
    """`GET imports/{import_id}/bad-rows/`."""

    scopes = {"GET": "read"}

    @extend_schema(responses=json_lines.RESPONSES)
    def get(self, request: Request, import_id: str) -> HttpResponseBase:
        """Every bad row, one JSON object a line: file, line, field and reason. 404 where there is none."""
        job = import_for(request, import_id)
        return bad_rows(request._request, job, job_pages.copy_as_jsonl, "jsonl", json_lines.MEDIA_TYPE)


def import_json(job: Import) -> dict[str, Any]:
    """What whoever may import may know."""
    return {
        "id": job.public_id,
        "study": job.study.slug,
        "source": job.source,
        "location": job.location,
        "options": job.options,
        "state": job.state,
        "reason": job.reason,
        "stage": job.stage,
        "steps": job.steps,
        "steps_total": job.steps_total,
        "report": job.report,
        "bad_rows": job.bad_rows,
        "number": job.pk,
        "undone_at": job.undone_at,
        "cancel_asked_at": job.cancel_asked_at,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }
