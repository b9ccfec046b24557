"""The health check, and pages for what went wrong."""

import logging
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from diptych.parameters import DeclaredParameters
from diptych.rendering import ORJSONRenderer

logger = logging.getLogger(__name__)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the database and the broker answer, else 503; for load balancers and for `make demo`."""
    checks = {"database": _database_answers(), "broker": _broker_answers()}
    return JsonResponse({"ok": all(checks.values()), **checks}, status=200 if all(checks.values()) else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        logger.exception("healthz: the database does not answer")
        return False
    return True


def _broker_answers() -> bool:
    try:
        cache.get("healthz")
    except Exception:
        logger.exception("healthz: the broker does not answer")
        return False
    return True


FORMATS = ("yaml", "json")


class FormatSerializer(serializers.Serializer):
    format = serializers.ChoiceField(choices=FORMATS, required=False, help_text="Default: what `Accept` asks for")


class ByFormat(DefaultContentNegotiation):
    """Let `?format=` choose before `Accept`. An unknown format is refused by the endpoint."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        chosen = request.query_params.get("format")
        return super().select_renderer(request, renderers, format_suffix or (chosen if chosen in FORMATS else None))


class SchemaView(SpectacularAPIView, DeclaredParameters):
    """The OpenAPI document: YAML unless JSON is asked for; refusals as everywhere below `/api/`."""

    renderer_classes = [OpenApiYamlRenderer, OpenApiJsonRenderer, ORJSONRenderer]
    content_negotiation_class = ByFormat
    query = {"GET": FormatSerializer}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        FormatSerializer(data=request.query_params).is_valid(raise_exception=True)


@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    """Say that an address below the API leads nowhere, whatever the method and whether a CSRF token came along."""
    return problem_page(request, 404, "There is nothing at this address.", "Addresses end with a slash; see schema/.")


def problem_page(
    request: HttpRequest, status: int, title: str, advice: str, *, retry_after_s: int | None = None
) -> HttpResponse:
    """Return a page that says what is wrong and what to do, or JSON below `/api/`.

    With `retry_after_s` the client is told when to ask again, and a page does so by itself. A browser that was led to
    an address of the API by a link, and may ask again, gets the page.
    """
    if request.path.startswith("/api/") and not (retry_after_s and "text/html" in request.headers.get("Accept", "")):
        response: HttpResponse = JsonResponse({"detail": f"{title} {advice}", "code": CODES[status]}, status=status)
    else:
        context = {"title": title, "advice": advice, "status": status, "retry_after_s": retry_after_s}
        response = render(request, "problem.html", context, status=status)
    if retry_after_s:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


CODES = {
    400: "bad_request",
    403: "permission_denied",
    404: "not_found",
    416: "range_not_satisfiable",
    428: "precondition_required",
    429: "busy",
    500: "error",
    503: "unavailable",
    507: "storage_full",
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_page(request, 400, _("This request cannot be read."), _("Go back, reload the page and try again."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_page(
        request,
        403,
        _("This is not open to you."),
        str(exception) or _("Ask the study’s admin for the role."),
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_page(
        request,
        404,
        _("There is nothing here."),
        _("Check the address, or start from your studies: what you take part in is listed there."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    return problem_page(
        request,
        500,
        _("Something failed on our side."),
        _("Nothing you sent before is lost. Try again in a minute; if it stays, tell the study’s admin."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return problem_page(
        request,
        403,
        _("This form is out of date."),
        _("Reload %(address)s and send it again; cookies must be allowed.") % {"address": reverse("home")},
    )
