"""Forms of the pages and of the API of annotation."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers.people_progress import Days


class DaysForm(forms.Form):
    """The first and the last day that are counted. Each may be empty."""

    first = forms.DateField(label=gettext_lazy("First day"), required=False, input_formats=["%Y-%m-%d"])
    last = forms.DateField(label=gettext_lazy("Last day"), required=False, input_formats=["%Y-%m-%d"])

    def clean(self) -> dict[str, Any]:
        days = super().clean() or {}
        for name in ("first", "last"):
            if (day := days.get(name)) and not 2000 <= day.year <= 2100:
                self.add_error(name, _("Enter a year from 2000 to 2100."))
        if days.get("first") and days.get("last") and days["last"] < days["first"]:
            raise ValidationError(_("The last day is before the first. Change one of them."))
        return days

    @property
    def days(self) -> Days:
        """Return the days in the time zone of the request, or all days if the form is invalid."""
        zone = timezone.get_current_timezone()
        if not self.is_valid():
            return Days(zone)
        return Days(zone, self.cleaned_data.get("first"), self.cleaned_data.get("last"))
