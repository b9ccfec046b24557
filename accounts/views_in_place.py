"""Signing in without leaving a page, for people whose session ended while they worked on it."""

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import days, guessing
from accounts.forms import SignInForm
from accounts.models import User
from accounts.views import keep_language
from diptych.sentences import joined
from diptych.try_again import TryAgain


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_in_place(request: HttpRequest) -> HttpResponse:
    """GET returns a CSRF token, in case the browser has lost its own. POST signs in. Both return who is signed in.

    A one-time password cannot sign in here. It must be changed immediately, which needs the sign-in page.
    """
    if request.method == "GET":
        return JsonResponse(signed_in(request) | {"csrf": get_token(request)})
    form = SignInForm(request, data=request.POST)
    try:
        is_valid = form.is_valid()
    except TryAgain as reason:
        response = refusal(reason.status, reason.code, reason.sentence)
        response["Retry-After"] = str(reason.retry_after_s)
        return response
    if not is_valid:
        return refusal(400, "invalid", joined(form.non_field_errors()) or _("Enter a username and a password."))
    person: User = form.get_user()
    if person.must_change_password:
        sentence = _("This is a one-time password. Sign in on the sign-in page, where you choose your own.")
        return refusal(403, "password_change_required", sentence)
    login(request, person)
    days.keep_browser_zone(person, request.POST.get("time_zone", ""))
    response = JsonResponse(signed_in(request))
    guessing.remember_browser(response, person)
    return keep_language(response, person.locale)


def signed_in(request: HttpRequest) -> dict[str, str | None]:
    """Return whose session it is: the id, as in `X-Diptych-Person`, and the username. Both are null if nobody's."""
    person = request.user
    return {"person": str(person.pk), "name": person.get_username()} if person.pk else {"person": None, "name": None}


def refusal(status: int, code: str, sentence: str) -> JsonResponse:
    """Return an error response in the API's form for problems."""
    return JsonResponse({"detail": sentence, "code": code}, status=status)
