"""The OpenAPI document. It is made once: that takes seconds, and it is the same for everybody."""

from functools import cache
from typing import Any

from django.conf import settings
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer


@cache
def document() -> dict[str, Any]:
    """Return the document. Nobody may change it."""
    with translation.override(settings.LANGUAGE_CODE):
        made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


@cache
def written(form: str) -> bytes:
    """Return the document as "yaml" or "json"."""
    content = {"yaml": OpenApiYamlRenderer, "json": OpenApiJsonRenderer}[form]().render(document(), None, {})
    return content.encode() if isinstance(content, str) else content
