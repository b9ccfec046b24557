"""Forms about the own account."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts import guessing, hashing
from accounts.middleware import client_address
from accounts.models import AccessToken, User
from accounts.tokens import LIFETIME, LIFETIMES_DAYS, SCOPE_LABELS


class SignInForm(AuthenticationForm):
    """Django's form. It also tells people that they must wait after too many wrong passwords.

    Validation raises `diptych.try_again.TryAgain` while no password can be checked.
    """

    def clean(self) -> dict[str, Any]:
        with hashing.turn():  # comes first, so that a refused request runs no query
            if self.request is not None:
                known = guessing.is_known(self.request, self.cleaned_data.get("username") or "")
                guessing.check_address(client_address(self.request), known=known)
            return super().clean()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Django sets `max_length` too late for a validator, so without this only browsers would apply it.
        name = self.fields["username"]
        name.validators.append(MaxLengthValidator(name.max_length))  # type: ignore[attr-defined]

    def get_invalid_login_error(self) -> ValidationError:
        if getattr(self.request, "axes_locked_out", False):
            return ValidationError(
                _(
                    "Too many wrong passwords. Wait 15 minutes, then try again. Until then, the right password "
                    "does not work either."
                ),
                "locked",
            )
        return ValidationError(_("The username or password is wrong. Check that Caps Lock is off."), "invalid_login")


class NewPasswordForm(PasswordChangeForm):
    """Django's form. It refuses the old password as the new one, and offers to revoke the API tokens.

    It does not offer this at the first sign-in: nobody else has used the account.
    """

    error_messages = PasswordChangeForm.error_messages | {
        "password_incorrect": _("This password is wrong. Enter it again."),
        "password_mismatch": _("The two new passwords are different. Enter the same password in both fields."),
    }
    end_tokens = forms.BooleanField(
        label=_("Also revoke all my API tokens"),
        required=False,
        help_text=_("Choose this if somebody else may know your password. Programs that use your tokens stop working."),
    )

    def __init__(self, user: User, *arguments: Any, **options: Any) -> None:
        super().__init__(user, *arguments, **options)
        if user.must_change_password or not AccessToken.objects.filter(user=user).exists():
            del self.fields["end_tokens"]
        self.fields["new_password2"].help_text = ""  # its label says the same

    def validate_password_for_user(self, user: User, *arguments: Any) -> None:
        """Show what is wrong with the new password at its own field, not where it is repeated."""
        super().validate_password_for_user(user, "new_password1")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        old, new = self.cleaned_data.get("old_password"), self.cleaned_data.get("new_password1")
        if new and new == old:
            self.add_error("new_password1", _("Choose a password that differs from your current one."))
        return cleaned


class TokenForm(forms.Form):
    """A form for the name, the scopes and the lifetime of a new API token."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("For example, the program that uses it. Study admins see this name."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    days = forms.TypedChoiceField(
        label=_("Valid for"),
        coerce=int,
        initial=LIFETIME.days,
        choices=lambda: [(days, ngettext("%(n)s day", "%(n)s days", days) % {"n": days}) for days in LIFETIMES_DAYS],
    )

    def __init__(self, data: Any, *, scopes: list[str]) -> None:
        super().__init__(data)
        self.fields["scopes"].choices = [(scope, SCOPE_LABELS[scope]) for scope in scopes]  # type: ignore[attr-defined]


class ResetPasswordForm(forms.Form):
    """A form for the username of the person whose password a superuser replaces."""

    username = forms.CharField(
        label=_("Username"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}),
    )

    def __init__(self, data: Any, *, actor: User) -> None:
        super().__init__(data)
        self.actor = actor
        self.person = actor

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if username == self.actor.username:
            raise ValidationError(gettext("Change your own password on the page “Change password”."))
        person = User.objects.filter(username=username).first()
        if person is None:
            raise ValidationError(
                gettext("There is no user called “%(name)s”. Check the spelling.") % {"name": username}
            )
        self.person = person
        return username
