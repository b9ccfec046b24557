"""Pages for signing in and for choosing a password and a language: Django's views with our templates and audit rows."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.contrib.messages.views import SuccessMessageMixin
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import audit, days, guessing, hashing
from accounts.forms import NewPasswordForm, SignInForm
from accounts.models import User
from accounts.preferences import PreferencesForm, save_preferences, study_settings_of
from accounts.sent_again import SentAgain
from accounts.tokens import revoke_all
from diptych.refusals import Refused
from diptych.try_again import TryAgain

LANGUAGE_KEPT_S = 365 * 24 * 3600
#: Django refuses to redirect to a longer address.
LONGEST_ADDRESS = 2048


class SignInView(SentAgain, LoginView):
    template_name = "accounts/sign_in.html"
    form_class = SignInForm
    redirect_authenticated_user = True
    kept_fields = ("username",)

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        """Return where the person wanted to go. Return an empty string for this page or a foreign address."""
        wanted = super().get_redirect_url()
        if not wanted or urlsplit(wanted).path == self.request.path:
            return ""
        return own_address(self.request, wanted)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Store the language in this browser too: the API and pages without a person read it from there.

        The browser also sends its time zone, which is stored at the first sign-in.
        """
        response = super().form_valid(form)
        days.keep_browser_zone(form.get_user(), self.request.POST.get("time_zone", ""))
        guessing.remember_browser(response, form.get_user())
        return keep_language(response, form.get_user().locale)


@method_decorator(never_cache, name="dispatch")
class PasswordView(SentAgain, SuccessMessageMixin, PasswordChangeView):
    """Change the password. This also replaces a one-time password."""

    template_name = "accounts/password.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("home")
    success_message = _("Your password has been changed.")

    def post(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        """Check the old password and hash the new one in one turn, so that the form is not put off between them."""
        try:
            with hashing.turn():
                return super().post(request, *arguments, **named)
        except TryAgain as reason:
            return self.put_off(request, reason)

    @transaction.atomic
    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        user = form.user
        user.must_change_password = False
        response = super().form_valid(form)
        audit.record("user.password_changed", user, actor=user)
        if form.cleaned_data.get("end_tokens"):
            revoke_all(user, actor=user)
        return response


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def viewing(request: HttpRequest) -> HttpResponse:
    """Show the page "Display preferences" and save the form."""
    person: User = request.user  # type: ignore[assignment]
    form = PreferencesForm(request.POST if request.method == "POST" else None, person=person)
    if form.is_valid():
        try:
            save_preferences(person, form.cleaned_data)
        except Refused as refused:
            form.add_error("time_zone", refused.sentence)
    if not form.is_valid():
        context = {
            "form": form,
            "kept_until": days.kept_until(person, timezone.now()),
            "study_settings": study_settings_of(person),
        }
        return render(request, "accounts/viewing.html", context, status=400 if form.is_bound else 200)
    translation.activate(form.cleaned_data["locale"] or translation.get_language() or settings.LANGUAGE_CODE)
    messages.success(request, translation.gettext("Your preferences are saved."))
    response = redirect("accounts:viewing")
    if form.cleaned_data["locale"]:
        return keep_language(response, form.cleaned_data["locale"])
    response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")
    return response


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Store the chosen language for the person and this browser, and redirect back."""
    chosen = request.POST.get("language", "")
    response = HttpResponseRedirect(own_address(request, request.POST.get("next", "")))
    if chosen not in dict(settings.LANGUAGES):
        return response
    if request.user.is_authenticated:
        User.objects.filter(pk=request.user.pk).update(locale=chosen)
    return keep_language(response, chosen)


def keep_language(response: HttpResponse, code: str) -> HttpResponse:
    """Make the browser ask for this language from now on. An empty code changes nothing."""
    if code:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            code,
            max_age=LANGUAGE_KEPT_S,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def own_address(request: HttpRequest, address: str) -> str:
    """Return `address` if it is a path of this site, with its query, or else the address of the home page."""
    ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if ours and address.startswith("/") and len(address) <= LONGEST_ADDRESS else reverse("home")
