"""Pages for signing in, choosing a password and a language. Django's own views, with our templates and audit rows."""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.contrib.messages.views import SuccessMessageMixin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import audit
from accounts.forms import NewPasswordForm, SignInForm
from accounts.models import User
from accounts.preferences import PreferencesForm, save_preferences
from accounts.tokens import revoke_all

LANGUAGE_KEPT_S = 365 * 24 * 3600


class SignInView(LoginView):
    template_name = "accounts/sign_in.html"
    form_class = SignInForm
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        """Where the person was going, unless that was here."""
        wanted = super().get_redirect_url()
        return "" if urlsplit(wanted).path == self.request.path else wanted

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Tells this browser the person's language too: the API and pages without a person read it from there."""
        return keep_language(super().form_valid(form), form.get_user().locale)


@method_decorator(never_cache, name="dispatch")
class PasswordView(SuccessMessageMixin, PasswordChangeView):
    """Changes the password; a one-time password is thereby used up."""

    template_name = "accounts/password.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("home")
    success_message = _("Your password is changed.")

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
    """How one wants to see what may be harmful, in which language and in whose time."""
    person: User = request.user  # type: ignore[assignment]
    form = PreferencesForm(request.POST if request.method == "POST" else None, person=person)
    if not form.is_valid():
        status = 400 if form.is_bound else 200
        return render(request, "accounts/viewing.html", {"form": form}, status=status)
    save_preferences(person, form.cleaned_data)
    translation.activate(form.cleaned_data["locale"] or translation.get_language() or settings.LANGUAGE_CODE)
    messages.success(request, translation.gettext("Your preferences are saved."))
    response = redirect("accounts:viewing")
    if form.cleaned_data["locale"]:
        return keep_language(response, form.cleaned_data["locale"])
    response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")
    return response


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Keeps the chosen language, for the person and for this browser, and leads back to where they were."""
    chosen = request.POST.get("language", "")
    response = redirect(own_address(request, request.POST.get("next", "")))
    if chosen not in dict(settings.LANGUAGES):
        return response
    if request.user.is_authenticated:
        User.objects.filter(pk=request.user.pk).update(locale=chosen)
    return keep_language(response, chosen)


def keep_language(response: HttpResponse, code: str) -> HttpResponse:
    """Lets the browser ask for this language from now on; an empty code changes nothing."""
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
    """`address` if it is one of ours, else the way in."""
    ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if ours else reverse("home")
