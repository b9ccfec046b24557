"""Downloads for researchers."""

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import audit
from diptych.rendering import ORJSONRenderer
from exports import annotations
from exports.permissions import exported_study


class JSONLinesRenderer(BaseRenderer):
    """Names the media type for content negotiation; the view streams its lines itself."""

    media_type = "application/x-ndjson"
    format = "jsonl"


class AnnotationsView(APIView):
    """`GET studies/{slug}/annotations.jsonl`."""

    renderer_classes = [JSONLinesRenderer, ORJSONRenderer]

    @extend_schema(responses={(200, "application/x-ndjson"): OpenApiTypes.STR})
    def get(self, request: Request, slug: str) -> StreamingHttpResponse:
        """Every annotation revision of the study, one JSON object a line."""
        study = exported_study(request, slug)
        audit.record("annotations.downloaded", study, actor=request.user, study_slug=study.slug)
        return StreamingHttpResponse(
            annotations.lines(study),
            content_type="application/x-ndjson",
            headers={
                "Content-Disposition": f'attachment; filename="{study.slug}-annotations.jsonl"',
                "Cache-Control": "no-store",
            },
        )
