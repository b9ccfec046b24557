"""The form of an endpoint: its address and its events."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from webhooks import event_types
from webhooks.models import LONGEST_ADDRESS


class EndpointForm(forms.Form):
    """An address, and the events that it gets. `webhooks.endpoints` checks both."""

    address = forms.CharField(
        label=_("Address"),
        max_length=LONGEST_ADDRESS,
        widget=forms.URLInput(attrs={"placeholder": "https://example.org/hooks", "autocomplete": "off"}),
        error_messages={"required": _("Enter the address of your receiver.")},
    )
    events = forms.MultipleChoiceField(
        label=_("Events"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one event.")},
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        field: Any = self.fields["events"]
        field.choices = [(key, one.label) for key, one in event_types.choices().items()]
