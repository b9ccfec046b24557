"""What a safety officer writes down about a report."""

from datetime import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ReferralForm(forms.Form):
    """An authority or hotline was told."""

    to_whom = forms.CharField(label=_("To whom"), max_length=200)
    reference = forms.CharField(label=_("Their reference"), max_length=200, required=False)
    made_at = forms.DateTimeField(
        label=_("When"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def clean_made_at(self) -> datetime:
        made_at: datetime = self.cleaned_data["made_at"]
        if made_at > timezone.now():
            raise ValidationError(_("This lies in the future. Write down when it was reported."))
        return made_at


class ReasonForm(forms.Form):
    """Why something was decided."""

    reason = forms.CharField(label=_("Why"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
