"""Pages for setting up a second factor and for giving its code."""

import io
from collections.abc import Callable
from functools import wraps

import segno
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import second_factor
from accounts.models import User
from accounts.views import own_address
from diptych.refusals import Refused

View = Callable[..., HttpResponseBase]


def person_of(request: HttpRequest) -> User:
    """Return the signed-in person. Call it only behind `login_required`."""
    assert isinstance(request.user, User)  # noqa: S101 - `login_required` makes sure of it
    return request.user


def require_code(request: HttpRequest, seconds: int, *, back_to: str) -> HttpResponse | None:
    """Return None if a code was given within this many seconds, or else a redirect to the page that asks for one."""
    if second_factor.given_within(request, seconds):
        return None
    page = "second_factor" if second_factor.has_one(person_of(request)) else "second_factor_new"
    return redirect(reverse(f"accounts:{page}", query={"next": back_to}))


def _guard_set_up(view: View) -> View:
    """Allow the view only to people without a second factor, or after a recent code of the current one.

    Otherwise somebody with a stolen session could replace the second factor.
    """

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        if second_factor.has_one(person_of(request)):
            code_page = require_code(
                request, second_factor.OPENS_MEDIA_S, back_to=reverse("accounts:second_factor_new")
            )
            if code_page is not None:
                return code_page
        return view(request)

    return guarded


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@_guard_set_up
def new(request: HttpRequest) -> HttpResponse:
    """Show the secret of a new device, and accept its first code."""
    person = person_of(request)
    following = own_address(request, request.POST.get("next", request.GET.get("next", "")))
    error = ""
    if request.method == "POST":
        try:
            device, codes = second_factor.enrol(person, request.POST.get("code", ""))
        except Refused as wrong:
            error = wrong.sentence
        else:
            second_factor.remember(request, device)
            return render(request, "accounts/second_factor_codes.html", {"codes": codes, "next": following})
    context = {
        "secret": second_factor.secret(second_factor.new_device(person)),
        "replaces": second_factor.has_one(person),
        "next": following,
        "error": error,
    }
    return render(request, "accounts/second_factor_new.html", context)


@require_safe
@never_cache
@login_required
@_guard_set_up
def picture(request: HttpRequest) -> HttpResponse:
    """Return the new device's secret as a QR code."""
    drawn = io.BytesIO()
    address = second_factor.new_device(person_of(request)).config_url
    segno.make(address, error="m").save(drawn, kind="svg", scale=5, light="#fff", xmldecl=False)
    return HttpResponse(drawn.getvalue(), content_type="image/svg+xml", headers={"Cache-Control": "no-store"})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def give(request: HttpRequest) -> HttpResponse:
    """Accept a code, and redirect back to the page that asked for it."""
    person = person_of(request)
    following = own_address(request, request.POST.get("next", request.GET.get("next", "")))
    if not second_factor.has_one(person):
        return redirect(reverse("accounts:second_factor_new", query={"next": following}))
    error = ""
    if request.method == "POST":
        try:
            second_factor.remember(request, second_factor.verify(person, request.POST.get("code", "")))
            return redirect(following)
        except Refused as wrong:
            error = wrong.sentence
    return render(request, "accounts/second_factor.html", {"next": following, "error": error})


@require_POST
@never_cache
@login_required
def backup_codes(request: HttpRequest) -> HttpResponse:
    """Replace the backup codes and show the new ones once."""
    code_page = require_code(request, second_factor.OPENS_MEDIA_S, back_to=reverse("accounts:second_factor_new"))
    if code_page is not None:
        return code_page
    codes = second_factor.replace_backup_codes(person_of(request))
    return render(request, "accounts/second_factor_codes.html", {"codes": codes, "next": reverse("home")})
