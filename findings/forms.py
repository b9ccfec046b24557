"""The form of a study's rules."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from findings.rules import RULES
from studies.forms import HiddenJSONField

_CHOICES = [(code, rule.label) for code, rule in RULES.items()]


class RulesForm(forms.Form):
    """The switches of the rules, and what they were when the page was made."""

    on = forms.MultipleChoiceField(choices=_CHOICES, required=False)
    invalidating = forms.MultipleChoiceField(
        choices=[(code, rule.label) for code, rule in RULES.items() if rule.may_invalidate], required=False
    )
    ask_again = forms.BooleanField(required=False)
    seen = HiddenJSONField()

    def clean_seen(self) -> dict[str, Any]:
        seen = self.cleaned_data["seen"]
        if not isinstance(seen, dict):
            raise ValidationError(_("This form is out of date. Reload the page and change it again."))
        return seen
