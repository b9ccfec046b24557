"""Middleware that applies the settings of the signed-in person to every request."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation

from accounts.audit import request_address
from accounts.days import zone_of
from accounts.hashing import in_request

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def client_address(request: HttpRequest) -> str | None:
    """Return the IP address of the client: the one that our outermost proxy saw, or else the peer's.

    Each proxy appends the address that it sees to X-Forwarded-For. Earlier entries were written by the client and are
    ignored.
    """
    seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    behind = settings.TRUSTED_PROXIES
    if behind and len(seen) >= behind:
        return address_or_none(seen[-behind])
    return address_or_none(request.META.get("REMOTE_ADDR", ""))


def address_or_none(text: str) -> str | None:
    """Return the text if it is an IP address, or None."""
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def without_person(view: View) -> View:
    """Mark a view that must not look up the person. Such a view shows no text and protects itself.

    Health checks must work while the database is down. A media address carries its own proof.
    """
    view.without_person = True  # type: ignore[attr-defined]
    return view


class PersonMiddleware:
    """Middleware that applies a person's language and time zone, and redirects a one-time password to its change."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        address, serving = request_address.set(client_address(request)), in_request.set(True)
        try:
            return self.get_response(request)
        finally:
            request_address.reset(address)
            in_request.reset(serving)
            timezone.deactivate()

    def process_view(self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or getattr(view, "without_person", False) or hasattr(view, "cls"):
            return None  # a view class of the API refuses one-time passwords itself (`tokens.SessionAuthentication`)
        if not request.user.is_authenticated:
            return None
        if request.user.must_change_password and match.view_name not in OPEN_TO_ONE_TIME_PASSWORDS:
            return redirect(reverse("accounts:password"))
        if request.user.locale:
            translation.activate(request.user.locale)
        timezone.activate(zone_of(request.user))
        return None


OPEN_TO_ONE_TIME_PASSWORDS = {"accounts:password", "accounts:sign_out", "accounts:language"}
