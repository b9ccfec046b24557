"""The form with which a researcher starts an import."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from importing.models import Import
from sources.name_encodings import CODE_PAGES


class ImportForm(forms.Form):
    """The source of an import and its options, without those that belong to the study."""

    source = forms.ChoiceField(
        label=_("Where is the material?"),
        choices=[
            (Import.Source.UPLOAD, _("On this computer (upload)")),
            (Import.Source.SERVER, _("On the server, or in S3")),
        ],
        initial=Import.Source.UPLOAD,
        widget=forms.RadioSelect,
    )
    location = forms.CharField(label=_("Path or s3:// address"), max_length=1000, required=False)
    pairs = forms.ChoiceField(
        label=_("Which pairs?"),
        choices=[
            ("", _("The pairs in the manifest, or all pairs of each prompt’s videos if it lists none")),
            ("all", _("All pairs of each prompt’s videos, whatever the manifest lists")),
            ("listed", _("Only the pairs in the manifest")),
            ("random", _("Some pairs of each prompt, drawn at random by the study’s seed")),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    a_prompt = forms.IntegerField(label=_("Pairs per prompt"), min_value=1, max_value=10_000, required=False, initial=3)
    batch_size = forms.IntegerField(
        label=_("Pairs per batch"),
        min_value=1,
        max_value=100_000,
        initial=100,
        help_text=_("Answers are later reviewed in lots. A lot is one or more whole batches."),
    )
    overlap = forms.IntegerField(
        label=_("Answers per pair"),
        min_value=1,
        max_value=100,
        required=False,
        help_text=_(
            "How many people answer each new pair. Pairs of the random sample can have more. Leave the field "
            "empty to use the study’s setting."
        ),
    )
    name_encoding = forms.ChoiceField(
        label=_("File name encoding"),
        choices=[
            ("", _("Take it from the archive or its manifest, or ask me")),
            *((key, label) for key, (label, _codec) in CODE_PAGES.items()),
        ],
        required=False,
        help_text=_(
            "For zip archives made on Windows with file names that are not in English. If you choose nothing and the "
            "archive does not name its encoding, the import stops and shows you the names, so that you can choose."
        ),
    )
    skip_bad = forms.BooleanField(
        label=_("Skip bad rows"),
        required=False,
        help_text=_("Import the good rows even if others are bad. Otherwise one bad row stops the whole import."),
    )
    dry_run = forms.BooleanField(
        label=_("Dry run"),
        required=False,
        help_text=_("Check the files and report problems without importing anything."),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if (
            values.get("source") == Import.Source.SERVER
            and not values.get("location")
            and "location" not in self.errors
        ):
            self.add_error("location", ValidationError(_("Enter the path or address of the material.")))
        if values.get("source") == Import.Source.UPLOAD:
            values["location"] = ""
        if values.get("pairs") == "random" and not values.get("a_prompt") and "a_prompt" not in self.errors:
            self.add_error("a_prompt", ValidationError(_("Enter the number of pairs per prompt.")))
        return values

    def options(self) -> dict[str, Any]:
        """Return the options for `jobs.ask`."""
        values = self.cleaned_data
        pairs = f"random:{values['a_prompt']}" if values["pairs"] == "random" else values["pairs"] or None
        return {"pairs": pairs} | {
            name: values[name] for name in ("batch_size", "overlap", "name_encoding", "skip_bad", "dry_run")
        }
