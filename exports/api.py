"""Download endpoints for researchers."""

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts import audit
from accounts.api import SignedInView
from diptych import downloads, json_lines
from exports import annotations, skips
from exports.permissions import exported_study


class AnnotationsView(json_lines.JSONLinesDownload, SignedInView):
    """`GET studies/{slug}/annotations.jsonl`."""

    scopes = {"GET": "export"}

    @extend_schema(responses=json_lines.RESPONSES)
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Download all answers.

        Each revision of each answer is one JSON object on a line of its own. All are of one moment.

        The response has a Content-Length and supports ranges. A range that does not begin at 0 needs If-Range with the
        ETag, so that parts of two moments are never joined.
        """
        study = exported_study(request, slug)
        return downloads.send(
            request._request,
            lambda target: annotations.copy(study, target),
            name=f"{study.slug}-annotations.jsonl",
            content_type=json_lines.MEDIA_TYPE,
            record=lambda: audit.record("annotations.downloaded", study, actor=self.person, study_slug=study.slug),
        )


class SkipsView(json_lines.JSONLinesDownload, SignedInView):
    """`GET studies/{slug}/skips.jsonl`."""

    scopes = {"GET": "export"}

    @extend_schema(responses=json_lines.RESPONSES)
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Download all skips.

        Each skip that says something about its pair is one JSON object on a line of its own. All are of one
        moment.
        """
        study = exported_study(request, slug)
        return downloads.send(
            request._request,
            lambda target: skips.copy(study, target),
            name=f"{study.slug}-skips.jsonl",
            content_type=json_lines.MEDIA_TYPE,
            record=lambda: audit.record("skips.downloaded", study, actor=self.person, study_slug=study.slug),
        )
