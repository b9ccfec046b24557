"""Forms about one's own account."""

from typing import Any

from django.contrib.auth.forms import PasswordChangeForm
from django.utils.translation import gettext_lazy as _


class NewPasswordForm(PasswordChangeForm):
    """Django's form, which takes no password that was the one before."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        old, new = self.cleaned_data.get("old_password"), self.cleaned_data.get("new_password1")
        if new and new == old:
            self.add_error("new_password1", _("Choose a password other than your present one."))
        return cleaned
