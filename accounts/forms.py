"""Forms about one's own account."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from accounts import guessing, hashing
from accounts.middleware import client_address


class SignInForm(AuthenticationForm):
    """Django's form, which says so when somebody must wait after too many wrong passwords.

    Validating it raises `diptych.try_again.TryAgain` where nobody's password may be checked at the moment.
    """

    def clean(self) -> dict[str, Any]:
        with hashing.turn():  # first: a request that is put off then costs no statement
            if self.request is not None:
                known = guessing.is_known(self.request, self.cleaned_data.get("username") or "")
                guessing.check_address(client_address(self.request), known=known)
            return super().clean()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Django sets `max_length` after the field made its validators, so it limits only what browsers let people type.
        name = self.fields["username"]
        name.validators.append(MaxLengthValidator(name.max_length))  # type: ignore[attr-defined]

    def get_invalid_login_error(self) -> ValidationError:
        if getattr(self.request, "axes_locked_out", False):
            return ValidationError(
                _("Too many wrong passwords. Wait 15 minutes and try again; the right one must wait too."), "locked"
            )
        return super().get_invalid_login_error()


class NewPasswordForm(PasswordChangeForm):
    """Django's form, which takes no password that was the one before."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        old, new = self.cleaned_data.get("old_password"), self.cleaned_data.get("new_password1")
        if new and new == old:
            self.add_error("new_password1", _("Choose a password other than your present one."))
        return cleaned
