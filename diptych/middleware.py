"""What holds for every request, whoever sends it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from diptych import input
from diptych.try_again import temporary
from diptych.views import problem_page, try_again


class LengthRequiredMiddleware:
    """Answers 411 to a body of unstated length: WSGI reads as many bytes as were announced, so it would be lost."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            sentence = "Send the body with a Content-Length; a chunked one is not read."
            return JsonResponse({"detail": sentence, "code": "length_required"}, status=411)
        return self.get_response(request)


class TryAgainMiddleware:
    """Responds with 429 or 503 and `Retry-After` where a view met what passes by itself, such as a lock."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        found = temporary(error)
        return try_again(request, found) if found else None


class InputMiddleware:
    """Refuse control characters in addresses, headers, query strings and forms with 400, in the person's language.

    Cookies may hold any: the session's key is checked where it is read, and the others are signed or compared.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            input.check(request)
        except input.UnreadableInput as error:
            return problem_page(request, 400, _("This request cannot be read."), str(error))
        return self.get_response(request)
