"""Which pairs want how many answers from now on, or how soon they are served."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models import Batch, Study
from catalog.running.forms import prompt_types
from catalog.running.overlap import ALL, OTHERS, OVERLAP, PRIORITY, SAMPLE, STILL_OPEN, Choice

MOST_WANTED = 100
#: Of `Pair.priority`.
FURTHEST = 10**9


class PairsForm(forms.Form):
    """A choice of pairs, and what they get."""

    what = forms.ChoiceField(
        label=gettext_lazy("Change"),
        choices=[(OVERLAP, gettext_lazy("answers a pair")), (PRIORITY, gettext_lazy("priority"))],
    )
    value = forms.IntegerField(label=gettext_lazy("To"))
    which = forms.ChoiceField(
        label=gettext_lazy("Of pairs"),
        choices=[
            (STILL_OPEN, gettext_lazy("that still want answers")),
            (ALL, gettext_lazy("all, also those that have them")),
        ],
    )
    sample = forms.ChoiceField(
        label=gettext_lazy("Random sample"),
        choices=[
            (OTHERS, gettext_lazy("left out")),
            (SAMPLE, gettext_lazy("it alone")),
            (ALL, gettext_lazy("included")),
        ],
    )
    batch = forms.IntegerField(
        label=gettext_lazy("Batch"), min_value=1, required=False, help_text=gettext_lazy("Empty: all.")
    )
    prompt_type = forms.ChoiceField(label=gettext_lazy("Prompts"), required=False)
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *arguments: Any, study: Study, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.study = study
        self.fields["prompt_type"].choices = prompt_types()  # type: ignore[attr-defined]

    def clean_batch(self) -> int | None:
        number: int | None = self.cleaned_data["batch"]
        if number and not Batch.objects.filter(study=self.study, number=number).exists():
            raise ValidationError(_("The study has no batch %(number)s.") % {"number": number})
        return number

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        value = values.get("value")
        least, most = (1, MOST_WANTED) if values.get("what") == OVERLAP else (-FURTHEST, FURTHEST)
        if value is not None and not least <= value <= most:
            self.add_error("value", _("Choose %(least)s to %(most)s.") % {"least": least, "most": most})
        return values

    @property
    def change(self) -> dict[str, Any]:
        """What to change, of which pairs, to which value."""
        values = self.cleaned_data
        choice = Choice(values["which"], values["sample"], values["batch"], values["prompt_type"])
        return {"what": values["what"], "choice": choice, "value": values["value"]}

    def as_query(self) -> str:
        """The same choice as a part of an address."""
        kept = ("what", "value", "which", "sample", "batch", "prompt_type")
        return urlencode({name: self.cleaned_data[name] for name in kept if self.cleaned_data[name] not in (None, "")})
