"""Downloads for researchers."""

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts import audit
from accounts.api import SignedInView
from diptych.rendering import ORJSONRenderer
from exports import annotations
from exports.permissions import exported_study


class JSONLinesRenderer(ORJSONRenderer):
    """For what is refused: one line of JSON. The view streams its lines itself."""

    media_type = "application/x-ndjson"
    format = "jsonl"


class AnnotationsView(SignedInView):
    """`GET studies/{slug}/annotations.jsonl`."""

    scopes = {"GET": "export"}

    renderer_classes = [JSONLinesRenderer, ORJSONRenderer]

    @extend_schema(responses={(200, "application/x-ndjson"): OpenApiTypes.STR})
    def get(self, request: Request, slug: str) -> StreamingHttpResponse:
        """Every annotation revision of the study, one JSON object a line."""
        study = exported_study(request, slug)
        if request.method != "HEAD":
            audit.record("annotations.downloaded", study, actor=self.person, study_slug=study.slug)
        return StreamingHttpResponse(
            annotations.lines(study),
            content_type="application/x-ndjson",
            headers={
                "Content-Disposition": f'attachment; filename="{study.slug}-annotations.jsonl"',
            },
        )
