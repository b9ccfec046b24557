"""Forms for decisions about a report, and for the appointment of a safety officer."""

from datetime import date, datetime, time

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from diptych.database.natural import Natural
from studies.models import Study


class ReferralForm(forms.Form):
    """A form that records a report to an authority or hotline."""

    to_whom = forms.CharField(label=_("Authority"), max_length=200)
    reference = forms.CharField(label=_("Reference number"), max_length=200, required=False)
    made_at = forms.DateTimeField(
        label=_("When"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def clean_made_at(self) -> datetime:
        made_at: datetime = self.cleaned_data["made_at"]
        if made_at > timezone.now():
            raise ValidationError(_("This time is in the future. Enter the time at which you made the report."))
        return made_at


class ReasonForm(forms.Form):
    """A form that asks for the reason of a decision."""

    reason = forms.CharField(label=_("Why"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))


def end_of(day: date | None) -> datetime | None:
    """Return the moment at which an appointment until this day ends: the midnight at its start, in the current time
    zone.
    """
    return None if day is None else timezone.make_aware(datetime.combine(day, time()))


class OfficerForm(forms.Form):
    """A form that appoints a safety officer."""

    username = forms.CharField(label=_("Username"), max_length=150)
    study = forms.ModelChoiceField(
        label=_("Responsible for"),
        queryset=Study.objects.order_by(Natural("title"), "pk"),
        required=False,
        empty_label=_("the whole installation"),
    )
    until = forms.DateField(
        label=_("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("The appointment ends when this day begins. If empty, it lasts until somebody ends it."),
    )

    def clean_username(self) -> User:
        name: str = self.cleaned_data["username"]
        person = User.objects.filter(username=name).first()
        if person is None:
            raise ValidationError(_("There is no user with this name. Check the spelling."))
        return person

    def clean_until(self) -> datetime | None:
        return end_of(self.cleaned_data["until"])
