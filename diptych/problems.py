"""Pages for errors, and the functions that Django calls to make them."""

import logging
import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from diptych.refusals import Refused
from diptych.try_again import TryAgain, temporary

logger = logging.getLogger(__name__)


def problem_page(
    request: HttpRequest, status: int, title: str, advice: str, *, code: str = "", retry_after_s: int | None = None
) -> HttpResponse:
    """Return a page that says what is wrong and what to do, or JSON below `/api/`.

    With `retry_after_s` the client is told when to ask again. A page that was requested with GET then reloads by
    itself. A browser that followed a link to an address of the API also gets the page.
    """
    is_page_wanted = "text/html" in request.headers.get("Accept", "")
    response: HttpResponse
    if request.path.startswith("/api/") and not (retry_after_s and is_page_wanted):
        response = JsonResponse({"detail": f"{title} {advice}", "code": code or CODES[status]}, status=status)
    else:
        again_s = retry_after_s if request.method == "GET" else None  # reloading would lose a form
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
        _("You do not have access to this page."),
        str(exception) or _("Ask an admin of the study for the role that you need."),
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_page(
        request,
        404,
        _("There is nothing at this address."),
        _("Check the address for typing errors."),
    )


def try_again(request: HttpRequest, reason: TryAgain) -> HttpResponse:
    """Return a page that says what is wrong for the moment, and when to try again."""
    logger.warning("%s %s: %s", request.method, request.path, reason)
    return problem_page(
        request, reason.status, reason.title, reason.advice, code=reason.code, retry_after_s=reason.retry_after_s
    )


def refused(request: HttpRequest, reason: Refused) -> HttpResponse:
    """Return a page that says what was refused and why."""
    titles = {
        400: _("This request cannot be read."),
        403: _("You do not have access to this page."),
        404: _("There is nothing at this address."),
    }
    title = titles.get(reason.status, _("This could not be done."))
    return problem_page(request, reason.status, title, reason.sentence, code=reason.code)


def server_error(request: HttpRequest) -> HttpResponse:
    passing = temporary(sys.exception())  # Django calls this while it handles the error
    if passing is not None:
        return try_again(request, passing)
    return problem_page(
        request,
        500,
        _("Something went wrong on our side."),
        _("What you sent before is saved. Try again in a minute. If it happens again, tell an admin of the study."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return problem_page(
        request,
        403,
        _("This form is out of date."),
        _("Reload %(address)s and send the form again. Your browser must allow cookies.")
        % {"address": reverse("home")},
    )
