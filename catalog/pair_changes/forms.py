"""Forms of changes of many pairs: overlap, priority, batches."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from catalog.models import Batch, Prompt
from catalog.pair_changes.effects import ALL, OTHERS, OVERLAP, PRIORITY, SAMPLE, STILL_OPEN
from studies.models import Study

MOST_WANTED = 100
#: The highest `Pair.priority`; the lowest is its negative.
FURTHEST = 10**9
PROMPT_TYPES = [
    ("", _("all types")),
    (Prompt.Type.SAFETY_NEUTRAL, _("safety-neutral")),
    (Prompt.Type.SAFETY_CRITICAL, _("safety-critical")),
]


class BatchingForm(forms.Form):
    """Size of the new batches and type of prompts, for pairs that are regrouped."""

    size = forms.IntegerField(label=_("Pairs per batch"), min_value=1, max_value=100_000, initial=500)
    prompt_type = forms.ChoiceField(label=_("Prompts"), choices=PROMPT_TYPES, required=False)


class PairsForm(forms.Form):
    """A selection of pairs, and their new overlap or priority."""

    what = forms.ChoiceField(label=_("Change"), choices=[(OVERLAP, _("answers per pair")), (PRIORITY, _("priority"))])
    value = forms.IntegerField(label=_("To"))
    which = forms.ChoiceField(
        label=_("Which pairs"),
        choices=[(STILL_OPEN, _("pairs that still need answers")), (ALL, _("all pairs, including complete ones"))],
    )
    sample = forms.ChoiceField(
        label=_("Random sample"),
        choices=[(OTHERS, _("left out")), (SAMPLE, _("only the sample")), (ALL, _("included"))],
    )
    batch = forms.IntegerField(
        label=_("Batch"), min_value=1, required=False, help_text=_("Leave empty for all batches.")
    )
    prompt_type = forms.ChoiceField(label=_("Prompts"), choices=PROMPT_TYPES, required=False)
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *arguments: Any, study: Study, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.study = study

    def clean_batch(self) -> int | None:
        number: int | None = self.cleaned_data["batch"]
        if number and not Batch.objects.filter(study=self.study, number=number).exists():
            raise ValidationError(_("The study has no batch %(number)s.") % {"number": number})
        return number

    def clean(self) -> dict[str, Any]:
        value = self.cleaned_data.get("value")
        least, most = (1, MOST_WANTED) if self.cleaned_data.get("what") == OVERLAP else (-FURTHEST, FURTHEST)
        if value is not None and not least <= value <= most:
            self.add_error("value", _("Enter a number from %(least)s to %(most)s.") % {"least": least, "most": most})
        return self.cleaned_data

    @property
    def change(self) -> dict[str, Any]:
        """The change: its kind, the new value, and the selection of pairs."""
        choice = {name: value for name, value in self.cleaned_data.items() if name not in ("what", "value", "seen")}
        return {"what": self.cleaned_data["what"], "value": self.cleaned_data["value"], "choice": choice}

    def rows(self) -> str:
        """Return the query of the library's list of the selected pairs."""
        chosen = self.cleaned_data
        state = "changeable" if chosen["which"] == ALL else "changeable_open"
        sample = {SAMPLE: "yes", OTHERS: "no"}.get(chosen["sample"], "")
        wanted = {"state": state, "in_sample": sample, "batch": chosen["batch"], "prompt_type": chosen["prompt_type"]}
        return urlencode({name: value for name, value in wanted.items() if value})

    def as_query(self) -> str:
        """Return the form's values as the query of an address."""
        said = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        return urlencode({name: value for name, value in said.items() if name != "seen"})
