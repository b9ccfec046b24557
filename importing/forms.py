"""What a researcher says when they start an import."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from importing.models import Import
from importing.name_encodings import CODE_PAGES


class ImportForm(forms.Form):
    """Where it comes from, and `ImportOptions` but for what a study has once."""

    source = forms.ChoiceField(
        label=_("Where is it?"),
        choices=[
            (Import.Source.UPLOAD, _("On this computer: I upload it")),
            (Import.Source.SERVER, _("On the server, or in S3")),
        ],
        initial=Import.Source.UPLOAD,
        widget=forms.RadioSelect,
    )
    location = forms.CharField(label=_("Path or s3:// address"), max_length=1000, required=False)
    pairs = forms.ChoiceField(
        label=_("Which pairs?"),
        choices=[
            ("", _("Those the manifest lists; all of each prompt’s videos if it lists none")),
            ("all", _("All of each prompt’s videos, whatever the manifest lists")),
            ("listed", _("Only those the manifest lists")),
            ("random", _("Some of each prompt’s, drawn by the study’s seed")),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    a_prompt = forms.IntegerField(label=_("Pairs a prompt"), min_value=1, max_value=10_000, required=False, initial=3)
    batch_size = forms.IntegerField(
        label=_("Pairs a batch"),
        min_value=1,
        max_value=100_000,
        initial=100,
        help_text=_("A batch is reviewed, and accepted or returned, as a whole."),
    )
    overlap = forms.IntegerField(
        label=_("Answers a pair"),
        min_value=1,
        max_value=100,
        required=False,
        help_text=_("How many people answer each new pair, the random sample aside. Empty: as the study says."),
    )
    name_encoding = forms.ChoiceField(
        label=_("Code page of the names"),
        choices=[("", _("Detect automatically")), *((key, label) for key, (label, _codec) in CODE_PAGES.items())],
        required=False,
        help_text=_(
            "For zip archives made on Windows with file names that are not in English. The report says which was used."
        ),
    )
    skip_bad = forms.BooleanField(
        label=_("Leave bad rows out"),
        required=False,
        help_text=_("Import the good rows although others are bad. Otherwise one bad row keeps everything out."),
    )
    dry_run = forms.BooleanField(
        label=_("Dry run"),
        required=False,
        help_text=_("Say what would come in, and what is wrong, and keep nothing."),
    )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("source") == Import.Source.SERVER and not said.get("location") and "location" not in self.errors:
            self.add_error("location", ValidationError(_("Say where it lies.")))
        if said.get("source") == Import.Source.UPLOAD:
            said["location"] = ""
        if said.get("pairs") == "random" and not said.get("a_prompt") and "a_prompt" not in self.errors:
            self.add_error("a_prompt", ValidationError(_("Say how many pairs a prompt.")))
        return said

    def options(self) -> dict[str, Any]:
        """As `jobs.ask` takes them."""
        said = self.cleaned_data
        pairs = f"random:{said['a_prompt']}" if said["pairs"] == "random" else said["pairs"] or None
        return {"pairs": pairs} | {
            name: said[name] for name in ("batch_size", "overlap", "name_encoding", "skip_bad", "dry_run")
        }
