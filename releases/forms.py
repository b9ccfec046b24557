"""Forms of releases: what a new release is to be, and what is withdrawn."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers.words import QUESTIONS
from diptych.refusals import BadInput
from releases import filters, formats, licences, making, options, withdrawing, words
from releases.filters import Decision, Filter, Reviewed
from releases.making import Wanted
from releases.models import Release, Withdrawal
from studies.models import Study

NUMBERS = re.compile(r"[\s,，、]+")
DAY: dict[str, Any] = {
    "input_formats": ["%Y-%m-%d"],
    "widget": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
}
#: The field for each column of the VideoReward CSV.
COLUMN_FIELDS = {column: f"{options.VIDEOREWARD}_{column}" for column in options.VIDEOREWARD_COLUMNS}


class NumbersField(forms.CharField):
    """Numbers from 1, separated by commas or spaces. Its value is a list of integers."""

    def to_python(self, value: Any) -> Any:
        words = [word for word in NUMBERS.split(super().to_python(value) or "") if word]
        if not all(word.isascii() and word.isdigit() and 0 < len(word) < 10 for word in words):
            raise ValidationError(_("Write whole numbers, separated by commas."))
        return [int(word) for word in words]

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _several(label: Any, **options: Any) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(label=label, widget=forms.CheckboxSelectMultiple, **options)


def _with_columns(data: QueryDict | None) -> QueryDict | None:
    """Return the data of a form in which every column has a question: an address need not name those of the default."""
    if data is None:
        return None
    whole = data.copy()
    for column, name in COLUMN_FIELDS.items():
        whole.setdefault(name, options.VIDEOREWARD_COLUMNS[column])
    return whole


class FilterForm(forms.Form):
    """Which answers of a study a release has, and what its files say. Its choices are those that the study has."""

    decisions = _several(
        gettext_lazy("Lots"),
        choices=Decision.choices,
        error_messages={"required": gettext_lazy("Choose at least one kind of lots.")},
    )
    lots = NumbersField(
        label=gettext_lazy("Only these lots"),
        required=False,
        max_length=2000,
        help_text=gettext_lazy("Numbers of lots, separated by commas. Empty: all of them."),
    )
    reviewed = forms.ChoiceField(label=gettext_lazy("Review"), choices=Reviewed.choices)
    since = forms.DateField(label=gettext_lazy("First day"), required=False, **DAY)
    until = forms.DateField(label=gettext_lazy("Last day"), required=False, **DAY)
    languages = _several(gettext_lazy("Languages of prompts"), required=False)
    prompt_types = _several(gettext_lazy("Prompt types"), required=False, choices=words.PROMPT_TYPES.items())
    protocol_versions = _several(gettext_lazy("Protocol versions"), required=False)
    parent = forms.TypedChoiceField(
        label=gettext_lazy("Earlier release that this one follows"),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=gettext_lazy(
            "A release that follows another one uses the same codes for people. Otherwise everybody gets a new code."
        ),
    )
    formats = _several(
        gettext_lazy("Formats"), error_messages={"required": gettext_lazy("Choose at least one format.")}
    )
    with_invalid = forms.BooleanField(label=gettext_lazy("Invalid answers, in a file of their own"), required=False)
    with_comments = forms.BooleanField(
        label=gettext_lazy("Comments that people wrote. Read them first: they may name somebody."), required=False
    )
    with_times = forms.BooleanField(label=gettext_lazy("Exact times, not only days"), required=False)
    with_weights = forms.BooleanField(
        label=gettext_lazy(
            "Weights of answers by the reliability of their authors. Do not publish them: they show how reliable each "
            "code is."
        ),
        required=False,
    )

    def __init__(self, data: QueryDict | None = None, *, study: Study, **more: Any) -> None:
        super().__init__(_with_columns(data), **more)
        self.study = study
        fields: Any = self.fields
        fields["languages"].choices = [(one, one) for one in filters.languages_of(study)]
        versions = range(1, study.protocol_version + 1)
        fields["protocol_versions"].choices = [(str(version), str(version)) for version in versions]
        complete = Release.objects.filter(study=study, state=Release.State.DONE).order_by("-number")
        numbers = complete.values_list("number", flat=True)
        fields["parent"].choices = [
            *((number, _("Release %(n)s") % {"n": number}) for number in numbers),
            ("", _("none: everybody gets a new code")),
        ]
        fields["formats"].choices = [(name, one.label) for name, one in formats.formats.items() if not one.always]
        for column, name in COLUMN_FIELDS.items():
            fields[name] = forms.ChoiceField(
                label=options.COLUMN_LABELS[column],
                required=False,
                choices=QUESTIONS.items(),
                initial=options.VIDEOREWARD_COLUMNS[column],
            )

    @property
    def column_fields(self) -> list[forms.BoundField]:
        """Return the fields that say which question each column of the VideoReward CSV has."""
        return [self[name] for name in COLUMN_FIELDS.values()]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        """Return the fields that say what else the files have."""
        return [self[name] for name in self.fields if name.startswith("with_")]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            try:
                given["filter"] = self._filter(given)
            except BadInput as wrong:
                self.add_error(wrong.field, wrong.sentence)
            columns = {column: given[name] for column, name in COLUMN_FIELDS.items() if given[name]}
            given["options"] = options.checked(given["formats"], {options.VIDEOREWARD: columns})
        return given

    def _filter(self, given: dict[str, Any]) -> Filter:
        names = ("decisions", "lots", "reviewed", "since", "until", "languages", "prompt_types")
        versions = [int(version) for version in given["protocol_versions"]]
        return filters.checked(self.study, protocol_versions=versions, **{name: given[name] for name in names})


class NewReleaseForm(FilterForm):
    """A release that is made: also its licence and its terms."""

    licence = forms.CharField(
        label=gettext_lazy("Licence"),
        max_length=making.LONGEST_LICENCE,
        help_text=gettext_lazy("Such as CC-BY-4.0 (SPDX)."),
        error_messages={"required": gettext_lazy("Name the licence.")},
    )
    terms = forms.CharField(
        label=gettext_lazy("Terms"),
        required=False,
        max_length=making.LONGEST_TERMS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What people who use the release agree to. The manifest contains this text."),
    )

    licence_reason = forms.CharField(
        label=gettext_lazy("Why it may have this licence"),
        required=False,
        max_length=licences.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy(
            "Needed only if a licence is not in the table. The reason is kept, and shown with the release."
        ),
    )

    @property
    def wanted(self) -> Wanted:
        """Return the release of a valid form."""
        names = ("filter", "licence", "licence_reason", "terms", "formats", "options", "parent")
        also = ("with_invalid", "with_comments", "with_times", "with_weights")
        return Wanted(**{name: self.cleaned_data[name] for name in (*names, *also)})


def initial(study: Study, like: Release | None) -> dict[str, Any]:
    """Return the first values of the form: those of a release that it follows, or the defaults."""
    if like is None:
        newest = Release.objects.filter(study=study, state=Release.State.DONE).order_by("-number").first()
        return Filter().as_json() | {"formats": formats.defaults(), "parent": newest.number if newest else ""}
    names = (
        *("formats", "licence", "licence_reason", "terms"),
        *("with_invalid", "with_comments", "with_times", "with_weights"),
    )
    follows = like.number if like.state == Release.State.DONE else (like.parent.number if like.parent else "")
    columns = like.options.get(options.VIDEOREWARD, {})
    chosen = {COLUMN_FIELDS[column]: question for column, question in columns.items()}
    return like.filter | {name: getattr(like, name) for name in names} | {"parent": follows} | chosen


class SubjectForm(forms.Form):
    """What is withdrawn."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What to withdraw"), choices=Withdrawal.Kind.choices, widget=forms.RadioSelect
    )
    key = forms.CharField(
        label=gettext_lazy("Its id in a file"),
        max_length=64,
        help_text=gettext_lazy(
            "Copy it from any file of a release: the annotation_id of an answer, the video_id of a video, "
            "or the annotator_id of a person."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *arguments: Any, study: Study, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.study = study

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            try:
                given["subject"] = withdrawing.subject(self.study, given["kind"], given["key"])
            except BadInput as wrong:
                self.add_error(wrong.field, wrong.sentence)
        return given
