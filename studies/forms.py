"""Forms of the pages with which people run a study. Rules for all data are on the models."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.fields import InvalidJSONInput
from django.forms.models import modelform_factory
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from diptych.database.natural import Natural
from studies.durations import DurationField, ShareField
from studies.harms import HARMS
from studies.models import Membership, Study
from studies.models.memberships import Role
from studies.permissions import MAY_CONFIGURE
from studies.setting_groups import GROUPS, SETTINGS, Setting

if TYPE_CHECKING:
    from accounts.models import User

#: A study with this address would hide the page that makes studies.
TAKEN_SLUGS = {"new"}
#: The most people that one form adds. The browser waits some seconds for it. The command can add thousands.
MOST_ADDED = 500


def normalized_line_ends(value: Any) -> Any:
    """Return the text with single line ends. Browsers send two characters for each."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _title_of(study: Any) -> str:
    return str(study.title)


class NewStudyForm(forms.ModelForm):
    """A form with the title and address of a new study, and the study whose settings are copied."""

    like = forms.ModelChoiceField(
        label=gettext_lazy("Settings"),
        queryset=Study.objects.none(),
        to_field_name="slug",
        required=False,
        empty_label=gettext_lazy("the defaults"),
        help_text=gettext_lazy(
            "Choose a study that you run. Its settings, guideline and consent text are copied. People, "
            "material and answers are not."
        ),
    )

    def __init__(self, *arguments: Any, person: "User", **options: Any) -> None:
        super().__init__(*arguments, **options)
        run = Membership.objects.filter(person=person, role__in=MAY_CONFIGURE).values("study")
        field = cast(forms.ModelChoiceField, self.fields["like"])
        field.queryset = Study.objects.filter(pk__in=run).order_by(Natural("title"), "slug")
        field.label_from_instance = _title_of  # type: ignore[method-assign,assignment]

    class Meta:
        model = Study
        fields = ["title", "slug"]
        labels = {"title": gettext_lazy("Title"), "slug": gettext_lazy("Address")}
        help_texts = {
            "title": gettext_lazy("The name of the study. You can change it later."),
            "slug": gettext_lazy(
                "Lower-case letters, digits and hyphens, such as “text-to-video-2”. You cannot change it "
                "later, because files are named after it."
            ),
        }

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if slug in TAKEN_SLUGS:
            raise ValidationError(_("Diptych itself uses this address. Choose another."))
        return slug


def _field_for(model_field: models.Field, **options: Any) -> forms.Field | None:
    setting = SETTINGS[model_field.name]
    named: dict[str, Any] = {"label": setting.label, "help_text": setting.about, "required": not model_field.blank}
    if setting.seconds is not None:
        least, most = setting.seconds
        return DurationField(least=least, most=most, **named)
    if setting.share is not None:
        return ShareField(least=setting.least_share, most=setting.share, **named)
    if isinstance(model_field, models.BooleanField):
        named["required"] = False
    if isinstance(model_field, models.TextField):
        options["widget"] = forms.Textarea(attrs={"rows": 5})
    return model_field.formfield(**named | options)


class HiddenJSONField(forms.JSONField):
    """A hidden JSON field. Unlike Django's field, it accepts no numbers of thousands of digits and no deep nesting."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except (ValueError, RecursionError):
            raise ValidationError(self.error_messages["invalid"], "invalid") from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return super().bound_data(data, initial)
        except (ValueError, RecursionError):
            return InvalidJSONInput(data)


class SettingsForm(forms.ModelForm):
    """One group of settings, with their values when the page was made."""

    made_from = HiddenJSONField()

    def __init__(self, *arguments: Any, left_out: Collection[str] = (), **options: Any) -> None:
        """Leave out the settings in `left_out`. Values that a browser sends for them are ignored."""
        super().__init__(*arguments, **options)
        self.names = [name for name in self._meta.fields or () if name not in left_out]
        for name in left_out:
            self.fields.pop(name, None)
        self.fields["made_from"].initial = {name: getattr(self.instance, name) for name in self.names}
        for name in self.names:
            self.fields[name].widget.attrs["aria-describedby"] = f"about-{name}"

    def clean_made_from(self) -> dict[str, Any]:
        made_from = self.cleaned_data["made_from"]
        if not isinstance(made_from, dict):
            raise ValidationError(_("This form is out of date. Reload the page and change it again."))
        return made_from

    @property
    def values(self) -> dict[str, Any]:
        """Return the submitted settings, with line ends as they are stored."""
        given = {name: self.cleaned_data[name] for name in self.names}
        return {name: normalized_line_ends(value) for name, value in given.items()}


def _form_of(settings: tuple[Setting, ...]) -> type[SettingsForm]:
    names = [setting.name for setting in settings]
    made = modelform_factory(Study, form=SettingsForm, fields=names, formfield_callback=_field_for)
    return cast(type[SettingsForm], made)


SETTINGS_FORMS = {group.key: _form_of(group.settings) for group in GROUPS}


class TermsForm(forms.Form):
    """A form for the terms: the harms that videos may show, and the text in each language."""

    #: The version that the person saw.
    version = forms.IntegerField(widget=forms.HiddenInput)
    categories = forms.MultipleChoiceField(
        choices=[(harm.key, harm.label) for harm in HARMS], required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *arguments: Any, languages: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*arguments, **options)
        for code, name in languages:
            area = forms.Textarea(attrs={"rows": 20, "lang": code, "spellcheck": "true"})
            self.fields[f"text_{code}"] = forms.CharField(label=name, widget=area, required=False, strip=False)
        self.languages = [code for code, _name in languages]

    @property
    def texts(self) -> dict[str, str]:
        """Return the texts by language, with line ends as they are stored. Empty texts are left out."""
        said = {code: normalized_line_ends(self.cleaned_data[f"text_{code}"]) for code in self.languages}
        return {code: text for code, text in said.items() if text.strip()}

    @property
    def text_fields(self) -> list[forms.BoundField]:
        return [self[f"text_{code}"] for code in self.languages]


class SettingsFileForm(forms.Form):
    """A form for a settings file. People choose the file first. Its content then comes back with the confirmation."""

    file = forms.FileField(
        label=gettext_lazy("Settings file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )
    returned = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)
    made_from = HiddenJSONField(required=False)

    def clean(self) -> dict[str, Any]:
        if not self.cleaned_data.get("file") and not self.cleaned_data.get("returned"):
            raise ValidationError(_("Choose a file first."))
        return self.cleaned_data

    @property
    def content(self) -> bytes:
        """Return the bytes of the file, or the content that came back with the page."""
        file = self.cleaned_data.get("file")
        return bytes(file.read()) if file else str(self.cleaned_data["returned"]).encode()


class InviteForm(forms.Form):
    """A form that adds people by their usernames."""

    names = forms.CharField(
        label=gettext_lazy("Usernames"),
        max_length=80_000,
        widget=forms.Textarea(attrs={"rows": 3, "autocapitalize": "none", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Write one name per line. People who have an account get an invitation, which they can "
            "accept or decline. Everybody else gets an account with a one-time password."
        ),
    )

    def clean_names(self) -> list[str]:
        lines = (line.strip() for line in self.cleaned_data["names"].splitlines())
        names = list(dict.fromkeys(filter(None, lines)))
        if len(names) > MOST_ADDED:
            limit = {"n": len(names), "most": MOST_ADDED}
            raise ValidationError(_("You entered %(n)s names. You can add at most %(most)s at once.") % limit)
        return names


class NumberedForm(forms.Form):
    """A form that adds people with numbered names. `once` is random for each page, so a form sent twice adds nobody
    twice.
    """

    once = forms.UUIDField(widget=forms.HiddenInput)
    count = forms.IntegerField(label=gettext_lazy("How many"), min_value=1, max_value=MOST_ADDED)
    name = forms.CharField(
        label=gettext_lazy("Names start with"),
        max_length=60,
        required=False,
        help_text=gettext_lazy(
            "If empty, names start with the role. Numbers continue after the highest one in use, for "
            "example annotator-12."
        ),
    )


def with_roles(form: type[forms.Form], grantable: frozenset[str]) -> type[forms.Form]:
    """Return the form class with a field of the roles that the person may grant."""
    roles = [(role, label) for role, label in Role.choices if role in grantable]
    return type(form.__name__, (form,), {"role": forms.ChoiceField(label=gettext_lazy("Role"), choices=roles)})
