"""The health check, and pages for what went wrong."""

import logging
import sys
from typing import Any

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

from accounts.middleware import without_person
from diptych import health
from diptych.broker import broker
from diptych.parameters import DeclaredParameters
from diptych.refusals import Refused
from diptych.rendering import ORJSONRenderer
from diptych.try_again import TryAgain, temporary
from jobs import sweeps

logger = logging.getLogger(__name__)


#: Asks the database when each periodic task last ended well.
sweep_ages = health.Question(sweeps.ages)


@without_person
@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Return 200 if this web server can serve pages: the database replied within a second. Else return 503."""
    database = bool(health.database.reply())
    return JsonResponse({"ok": database, "database": database}, status=200 if database else 503)


@without_person
@require_safe
@never_cache
def healthz_workers(request: HttpRequest) -> JsonResponse:
    """Return 200 if background work goes on: the broker responds and periodic tasks end in time. Else return 503."""
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


@without_person
@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    """Say that an address below the API leads nowhere, whatever the method and whether a CSRF token came along."""
    return problem_page(request, 404, "There is nothing at this address.", "Addresses end with a slash; see schema/.")


def problem_page(
    request: HttpRequest, status: int, title: str, advice: str, *, code: str = "", retry_after_s: int | None = None
) -> HttpResponse:
    """Return a page that says what is wrong and what to do, or JSON below `/api/`.

    With `retry_after_s` the client is told when to ask again, and a page that was asked for by GET does so by itself. A
    browser that followed a link to an address of the API, and may ask again, gets the page.
    """
    is_page_wanted = "text/html" in request.headers.get("Accept", "")
    response: HttpResponse
    if request.path.startswith("/api/") and not (retry_after_s and is_page_wanted):
        response = JsonResponse({"detail": f"{title} {advice}", "code": code or CODES[status]}, status=status)
    else:
        again_s = retry_after_s if request.method == "GET" else None  # a form would be lost
        context = {"title": title, "advice": advice, "status": status, "again_s": again_s}
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


def try_again(request: HttpRequest, reason: TryAgain) -> HttpResponse:
    """Say what is wrong for the moment, and when to try again."""
    logger.warning("%s %s: %s", request.method, request.path, reason)
    return problem_page(
        request, reason.status, reason.title, reason.advice, code=reason.code, retry_after_s=reason.retry_after_s
    )


def refused(request: HttpRequest, reason: Refused) -> HttpResponse:
    """Say what was refused and why."""
    titles = {
        400: _("This request cannot be read."),
        403: _("This is not open to you."),
        404: _("There is nothing here."),
    }
    title = titles.get(reason.status, _("This cannot be done."))
    return problem_page(request, reason.status, title, reason.sentence, code=reason.code)


def server_error(request: HttpRequest) -> HttpResponse:
    passing = temporary(sys.exception())  # Django calls this while it handles the error
    if passing is not None:
        return try_again(request, passing)
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
