"""API of releases: list and make them, read one, cancel it, download its files, and withdraw what is in them."""

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from catalog.models import Prompt
from diptych import json_lines
from diptych.rendering import ORJSONRenderer
from releases import filters, latest, licences, making, sending, withdrawing
from releases.filters import Decision, Reviewed
from releases.formats import defaults
from releases.models import Release, Withdrawal
from releases.permissions import own_release, release_for, releases_study, releasing_study, withdrawing_study

#: The most rows in a list. The latest come first.
MOST_LISTED = 200


class FilterSerializer(serializers.Serializer):
    """Which answers. An empty list or null leaves nothing out."""

    decisions = serializers.ListField(
        child=serializers.ChoiceField(choices=Decision.choices), required=False, help_text="Default: accepted"
    )
    lots = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**31 - 1), required=False, max_length=10_000
    )
    reviewed = serializers.ChoiceField(choices=Reviewed.choices, required=False, help_text="Default: any")
    since = serializers.DateField(required=False, allow_null=True, help_text="First day in UTC")
    until = serializers.DateField(required=False, allow_null=True, help_text="Last day in UTC")
    languages = serializers.ListField(child=serializers.CharField(max_length=35), required=False, max_length=1000)
    prompt_types = serializers.ListField(child=serializers.ChoiceField(choices=Prompt.Type.choices), required=False)
    protocol_versions = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**31 - 1), required=False, max_length=1000
    )


class FormatOptionsSerializer(serializers.Serializer):
    """Options of formats. Those of a format that is not chosen are left out."""

    videoreward = serializers.DictField(
        child=serializers.CharField(max_length=40),
        required=False,
        help_text="Which question each of the columns VQ, MQ, TA and Overall has, such as {'MQ': 'informativeness'}",
    )


class NewReleaseSerializer(serializers.Serializer):
    """What a release is to be."""

    licence = serializers.CharField(max_length=making.LONGEST_LICENCE)
    terms = serializers.CharField(max_length=making.LONGEST_TERMS, required=False, allow_blank=True, default="")
    licence_reason = serializers.CharField(
        max_length=licences.LONGEST_REASON,
        required=False,
        allow_blank=True,
        default="",
        help_text="Why the release may have this licence, where the table of licences cannot decide",
    )
    filter = FilterSerializer(required=False)
    formats = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=40, help_text="Default: jsonl and frames"
    )
    options = FormatOptionsSerializer(required=False)
    parent = serializers.IntegerField(  # type: ignore[assignment]  # the name of a property of serializers
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=2**31 - 1,
        help_text="Number of the release that it follows; null: it begins a family with codes of its own",
    )
    with_invalid = serializers.BooleanField(default=False, help_text="Also a file of the invalid answers")
    with_comments = serializers.BooleanField(default=False, help_text="Also the text that people wrote")
    with_times = serializers.BooleanField(default=False, help_text="Exact times, not only days")
    with_weights = serializers.BooleanField(
        default=False, help_text="Reliability weights: they show how reliable each code is, so do not publish them"
    )


class FileShape(serializers.Serializer):
    path = serializers.CharField()
    kind = serializers.CharField(help_text="The format that wrote it")
    sha256 = serializers.CharField()
    bytes = serializers.IntegerField()
    counts = serializers.DictField(help_text="What was counted while it was written, by name, or by name and reason")


class TombstoneShape(serializers.Serializer):
    kind = serializers.ChoiceField(choices=Withdrawal.Kind.choices)
    answers = serializers.IntegerField(help_text="Answers of the release that were withdrawn")
    reason = serializers.CharField()
    withdrawn_at = serializers.DateTimeField()


class ReleaseShape(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Release.State.choices)
    withdrawn = serializers.BooleanField(help_text="Whether nothing of it can be downloaded any more")
    reason = serializers.CharField(allow_blank=True, help_text="Why it failed, or why it waits")
    stage = serializers.CharField(allow_blank=True, help_text="The file that is being written")
    done = serializers.IntegerField(help_text="Records of this file that are written")
    total = serializers.IntegerField(help_text="Records of this file; 0: not known yet")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    parent = serializers.IntegerField(  # type: ignore[assignment]  # the name of a property of serializers
        allow_null=True, help_text="Number of the release before in its family"
    )
    licence = serializers.CharField()
    licence_reason = serializers.CharField(allow_blank=True)
    filter = serializers.DictField()
    counts = serializers.DictField(help_text="Answers and revisions; empty until the answers are copied")


class ReleaseDetailShape(ReleaseShape):
    funnel = serializers.ListField(child=serializers.DictField())
    files = FileShape(many=True, help_text="Empty unless the files can be downloaded")
    manifest = serializers.DictField(allow_null=True, help_text="null: not complete. A withdrawn release keeps it")
    tombstones = TombstoneShape(many=True)


class ReleasesShape(serializers.Serializer):
    latest = serializers.IntegerField(allow_null=True, help_text="Number of the newest release with files; null: none")
    releases = ReleaseShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`before` of the next page; null: this is the last page")


class ReleasesQuery(serializers.Serializer):
    before = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)


def release_json(release: Release, *, withdrawn: bool) -> dict[str, Any]:
    """Return a release as the JSON of the API."""
    names = ("number", "state", "reason", "stage", "created_at", "finished_at", "licence")
    return {
        "id": release.pk,
        **{name: getattr(release, name) for name in (*names, "licence_reason", "filter", "counts")},
        "withdrawn": withdrawn,
        "done": release.steps,
        "total": release.steps_total,
        "parent": release.parent.number if release.parent else None,
    }


def detail_json(release: Release) -> dict[str, Any]:
    """Return a release with its funnel, its files, its manifest and what was withdrawn."""
    tombstones = list(release.tombstones.select_related("withdrawal").order_by("pk"))
    can_be_had = release.state == Release.State.DONE and not tombstones
    files = release.files.order_by("path") if can_be_had else []
    return release_json(release, withdrawn=bool(tombstones)) | {
        "funnel": release.funnel,
        "files": [
            {
                "path": file.path,
                "kind": file.kind,
                "sha256": file.sha256,
                "bytes": file.byte_size,
                "counts": file.counts,
            }
            for file in files
        ],
        "manifest": release.manifest,
        "tombstones": [
            {
                "kind": stone.withdrawal.kind,
                "answers": stone.answers,
                "reason": stone.withdrawal.reason,
                "withdrawn_at": stone.withdrawal.withdrawn_at,
            }
            for stone in tombstones
        ],
    }


class ReleasesView(SignedInView):
    """`GET` and `POST studies/{slug}/releases/`."""

    scopes = {"GET": "export", "POST": "manage"}
    query = {"GET": ReleasesQuery}
    refusals = {("POST", 409): ("busy", "nothing_left")}

    @extend_schema(operation_id="releases_list", responses={200: ReleasesShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the releases.

        The latest comes first.
        """
        study = releases_study(request, slug)
        found = Release.objects.filter(study=study).select_related("parent").order_by("-number")
        if before := self.asked().get("before"):
            found = found.filter(number__lt=before)
        rows = list(found[: MOST_LISTED + 1])
        page = rows[:MOST_LISTED]
        withdrawn, newest = latest.withdrawn(page), latest.latest(study)
        return Response(
            {
                "latest": newest.number if newest else None,
                "releases": [release_json(release, withdrawn=release.pk in withdrawn) for release in page],
                "next": page[-1].number if len(rows) > len(page) else None,
            }
        )

    @extend_schema(operation_id="releases_make", request=NewReleaseSerializer, responses={202: ReleaseDetailShape})
    def post(self, request: Request, slug: str) -> Response:
        """Make a release.

        A worker does it. `GET releases/{id}/` shows its progress.
        """
        study = releasing_study(request, slug)
        body = NewReleaseSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        given["filter"] = filters.checked(study, **given.get("filter", {}))
        given.setdefault("formats", defaults())
        release = making.ask(study, making.Wanted(**given), actor=self.person)
        return Response(detail_json(release), status=202)


class ReleaseView(SignedInView):
    """`GET releases/{id}/`."""

    scopes = {"GET": "export"}

    @extend_schema(operation_id="releases_read", responses={200: ReleaseDetailShape})
    def get(self, request: Request, release_id: int) -> Response:
        """Read a release.

        The response has its state, its funnel, its files and its manifest.
        """
        return Response(detail_json(release_for(request, release_id)))


class CancelReleaseView(SignedInView):
    """`POST releases/{id}/cancel/`."""

    scopes = {"POST": "manage"}

    @extend_schema(operation_id="releases_cancel", request=None, responses={200: ReleaseDetailShape})
    def post(self, request: Request, release_id: int) -> Response:
        """Cancel a release that is being made.

        Repeating it is harmless.
        """
        release = own_release(request, release_id)
        making.cancel(release, actor=self.person)
        return Response(detail_json(release_for(request, release_id)))


class ReleaseFileView(SignedInView):
    """`GET releases/{id}/files/{path}`."""

    scopes = {"GET": "export"}
    renderer_classes = [json_lines.JSONLinesRenderer, ORJSONRenderer]
    refusals = {409: ("not_complete", "quarantined"), 410: ("withdrawn",), 416: ("range_not_satisfiable",)}

    @extend_schema(
        operation_id="releases_file",
        responses={(status, "application/octet-stream"): OpenApiTypes.BINARY for status in (200, 206)}
        | {302: OpenApiResponse(description="The bucket has the file, at this address for one minute")},
    )
    def get(self, request: Request, release_id: int, path: str) -> HttpResponseBase:
        """Download a file of a release.

        The release must be complete.

        The response has a Content-Length, its SHA-256 as ETag and in `Repr-Digest`, and supports ranges: the bytes of a
        file never change, so a broken download can be continued.

        If the server keeps its files in a bucket, the response is 302: it leads to an address that is valid for one
        minute, and names the SHA-256 in `X-Content-SHA256`. Do not send your token to that address.
        """
        return sending.send(request._request, release_for(request, release_id), path, actor=self.person)


class WithdrawalSerializer(serializers.Serializer):
    """What is withdrawn from all releases of the study, for good."""

    kind = serializers.ChoiceField(choices=Withdrawal.Kind.choices)
    key = serializers.CharField(
        max_length=64, help_text="answer: its annotation_id. video: its video_id. person: their code in any file"
    )
    reason = serializers.CharField(max_length=withdrawing.LONGEST_REASON)


class WithdrawalShape(serializers.Serializer):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Withdrawal.Kind.choices)
    reason = serializers.CharField()
    withdrawn_at = serializers.DateTimeField()
    releases = serializers.ListField(child=serializers.IntegerField(), help_text="Numbers of the releases that had it")


class WithdrawalsShape(serializers.Serializer):
    withdrawals = WithdrawalShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`before` of the next page; null: this is the last page")


def withdrawals_json(found: QuerySet[Any]) -> list[dict[str, Any]]:
    """Return withdrawals, as `withdrawing.earlier` finds them, as the JSON of the API."""
    rows = found.values("id", "kind", "reason", "withdrawn_at", "numbers")
    return [{"releases" if name == "numbers" else name: value for name, value in row.items()} for row in rows]


class WithdrawalsView(SignedInView):
    """`GET` and `POST studies/{slug}/withdrawals/`."""

    scopes = {"GET": "export", "POST": "manage"}
    query = {"GET": ReleasesQuery}

    @extend_schema(operation_id="withdrawals_list", responses={200: WithdrawalsShape})
    def get(self, request: Request, slug: str) -> Response:
        """List what was withdrawn from releases.

        The latest comes first.
        """
        found = withdrawing.earlier(releases_study(request, slug))
        if before := self.asked().get("before"):
            found = found.filter(pk__lt=before)
        rows = withdrawals_json(found[: MOST_LISTED + 1])
        page = rows[:MOST_LISTED]
        return Response({"withdrawals": page, "next": page[-1]["id"] if len(rows) > len(page) else None})

    @extend_schema(operation_id="withdrawals_make", request=WithdrawalSerializer, responses={201: WithdrawalShape})
    def post(self, request: Request, slug: str) -> Response:
        """Withdraw an answer, a video or a person's answers.

        Downloads of every release that has them end.
        """
        study = withdrawing_study(request, slug)
        body = WithdrawalSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        of = withdrawing.subject(study, body.validated_data["kind"], body.validated_data["key"])
        made = withdrawing.withdraw(study, of, reason=body.validated_data["reason"], actor=self.person)
        [one] = withdrawals_json(withdrawing.earlier(study).filter(pk=made.pk))
        return Response(one, status=201)
