"""Form of the page of a study's licences."""

from django import forms
from django.utils.translation import gettext_lazy


class LicenceForm(forms.Form):
    """Licence and terms of one prompt source or one generator."""

    kind = forms.ChoiceField(choices=[("source", ""), ("generator", "")], widget=forms.HiddenInput)
    name = forms.CharField(max_length=300, widget=forms.HiddenInput, strip=False)
    seen_licence = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)
    seen_terms = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)
    licence = forms.CharField(label=gettext_lazy("Licence"), max_length=80, required=False)
    terms = forms.CharField(
        label=gettext_lazy("Terms"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What the terms allow, and where they are published."),
    )
