"""What every request needs to know about the person who sends it."""

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation

from accounts.audit import request_address


class PersonMiddleware:
    """Applies a signed-in person's language and time zone, and leads a one-time password to its change."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        marker = request_address.set(request.META.get("REMOTE_ADDR") or None)
        try:
            return self.get_response(request)
        finally:
            request_address.reset(marker)
            timezone.deactivate()

    def process_view(self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or match.app_name not in PAGES or not request.user.is_authenticated:
            return None
        if request.user.must_change_password and match.view_name not in OPEN_TO_ONE_TIME_PASSWORDS:
            return redirect(reverse("accounts:password"))
        if request.user.locale:
            translation.activate(request.user.locale)
        try:
            timezone.activate(ZoneInfo(request.user.time_zone or "UTC"))
        except (ZoneInfoNotFoundError, ValueError):
            timezone.activate(ZoneInfo("UTC"))
        return None


#: The API and media addresses read neither language nor time zone, and check one-time passwords themselves.
PAGES = {"", "accounts", "annotation", "qc"}
OPEN_TO_ONE_TIME_PASSWORDS = {"accounts:password", "accounts:sign_out", "healthz"}
