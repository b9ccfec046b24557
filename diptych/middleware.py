"""Rules for every request, whoever sends it."""

from collections.abc import Callable

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from diptych import input
from diptych.problems import refused, try_again
from diptych.refusals import BadInput, Refused
from diptych.try_again import temporary


class LengthRequiredMiddleware:
    """Respond with 411 to a body without a stated length.

    WSGI reads as many bytes as were announced, so such a body would be lost.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            sentence = "Send the body with a Content-Length header. Chunked bodies are not read."
            return JsonResponse({"detail": sentence, "code": "length_required"}, status=411)
        return self.get_response(request)


class RefusalMiddleware:
    """Turn a refusal that no view has caught into a page, or into JSON below `/api/`.

    A refusal that passes by itself, such as a lock, becomes 429 or 503 with `Retry-After`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if found := temporary(error):
            return try_again(request, found)
        return refused(request, error) if isinstance(error, Refused) else None


class PolicyMiddleware(CSPMiddleware):
    """The content security policy: of django-csp for pages, and one that allows nothing for JSON.

    django-csp puts the policy together anew for each response, although it never changes.
    """

    NOTHING = "default-src 'none'; frame-ancestors 'none'"

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Set the header, unless the response already has one."""
        if response.headers.get("Content-Type") != "application/json":
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, self.NOTHING)
        return response


class InputMiddleware:
    """Refuse control characters in addresses, headers, query strings and forms with 400, in the person's language.

    Cookies may contain any: the session's key is checked where it is read, and the others are signed or compared.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            input.check(request)
        except BadInput as error:
            return refused(request, error)
        return self.get_response(request)
