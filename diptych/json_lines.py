"""JSON Lines: downloads with one JSON object on each line. The lines come as bytes that are ready to send."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.types import OpenApiTypes
from rest_framework.renderers import BaseRenderer

from diptych import downloads
from diptych.rendering import ORJSONRenderer

MEDIA_TYPE = "application/x-ndjson"
#: Arguments of `extend_schema` for such a download.
RESPONSES: dict[tuple[int, str], Any] = {(status, MEDIA_TYPE): OpenApiTypes.STR for status in (200, 206)}


class JSONLinesRenderer(ORJSONRenderer):
    """A renderer with which clients can ask for JSON Lines. A refusal is written as JSON."""

    media_type = MEDIA_TYPE
    format = "jsonl"


class JSONLinesDownload:
    """The common part of API views that send JSON Lines. It comes before the base class of the view."""

    renderer_classes: Sequence[type[BaseRenderer]] = [JSONLinesRenderer, ORJSONRenderer]
    refusals = downloads.REFUSALS
