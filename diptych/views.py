"""The health checks, the OpenAPI document, and unknown addresses of the API."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.views import SpectacularAPIView
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from accounts.middleware import without_person
from diptych import health
from diptych.broker import broker
from diptych.document import written
from diptych.parameters import DeclaredParameters
from diptych.problems import problem_page
from diptych.rendering import ORJSONRenderer
from jobs import sweeps

#: Asks the database when each periodic task last succeeded.
sweep_ages = health.SharedQuery(sweeps.ages)


@without_person
@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Return 200 if this web server can serve pages, because the database replied within a second.

    Otherwise return 503.
    """
    database = bool(health.database.reply())
    return JsonResponse({"ok": database, "database": database}, status=200 if database else 503)


@without_person
@require_safe
@never_cache
def healthz_workers(request: HttpRequest) -> JsonResponse:
    """Return 200 if background work is running: the broker responds and periodic tasks end in time.

    Otherwise return 503.
    """
    responds = broker.responds()
    ages_s: dict[str, float] | None = sweep_ages.reply()
    last_s = min(ages_s.values()) if ages_s else None
    overdue = sweeps.overdue(ages_s or {})
    swept = last_s is not None and last_s <= sweeps.LATE_AFTER.total_seconds() and not overdue
    facts = {
        "ok": responds and swept,
        "broker": responds,
        "last_sweep_age_s": None if last_s is None else round(last_s, 1),
        "overdue": overdue,
    }
    return JsonResponse(facts, status=200 if facts["ok"] else 503)


FORMATS = ("yaml", "json")


class FormatSerializer(serializers.Serializer):
    format = serializers.ChoiceField(choices=FORMATS, required=False, help_text="Default: what `Accept` asks for")


class ByFormat(DefaultContentNegotiation):
    """Let `?format=` take precedence over `Accept`. The endpoint refuses an unknown format."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        chosen = request.query_params.get("format")
        return super().select_renderer(request, renderers, format_suffix or (chosen if chosen in FORMATS else None))


class SchemaView(SpectacularAPIView, DeclaredParameters):
    """The OpenAPI document, in YAML unless JSON is asked for. Refusals are as everywhere below `/api/`."""

    renderer_classes = [OpenApiYamlRenderer, OpenApiJsonRenderer, ORJSONRenderer]
    content_negotiation_class = ByFormat
    query = {"GET": FormatSerializer}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        FormatSerializer(data=request.query_params).is_valid(raise_exception=True)

    def _get_schema_response(self, request: Request) -> HttpResponse:
        renderer = request.accepted_renderer
        charset = f"; charset={renderer.charset}" if renderer.charset else ""
        return HttpResponse(
            written(renderer.format),
            content_type=f"{renderer.media_type}{charset}",
            headers={"Content-Disposition": f'inline; filename="{spectacular_settings.TITLE}.{renderer.format}"'},
        )


@without_person
@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    """Say that an address below the API does not exist, for every method, with or without a CSRF token."""
    return problem_page(
        request,
        404,
        "There is nothing at this address.",
        "Addresses of the API end with a slash. The document at schema/ lists all of them.",
    )
