"""Pages for signing in and choosing a password. Django's own views, with our templates and audit rows."""

from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.contrib.messages.views import SuccessMessageMixin
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from accounts import audit


class SignInView(LoginView):
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True


class PasswordView(SuccessMessageMixin, PasswordChangeView):
    """Changes the password; a one-time password is thereby used up."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("home")
    success_message = _("Your password is changed.")

    @transaction.atomic
    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        user = form.user
        user.must_change_password = False
        response = super().form_valid(form)
        audit.record("user.password_changed", user, actor=user)
        return response
