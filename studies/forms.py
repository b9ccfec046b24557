"""What people fill in to run a study. Rules that hold whoever writes are on the models."""

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
from studies.models.studies import Role
from studies.permissions import MAY_CONFIGURE
from studies.setting_groups import GROUPS, SETTINGS, Setting

if TYPE_CHECKING:
    from accounts.models import User

#: Would hide the page on which studies are made.
TAKEN_SLUGS = {"new"}
#: How many people one form adds. A browser waits for the answer, which takes some seconds; the command adds thousands.
MOST_ADDED = 500


def one_kind_of_line_end(value: Any) -> Any:
    """Browsers send two characters for each; everything else stays as it is."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _title_of(study: Any) -> str:
    return str(study.title)


class NewStudyForm(forms.ModelForm):
    """A study's name and address, and whose settings it begins with."""

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
        return ShareField(most=setting.share, **named)
    if isinstance(model_field, models.BooleanField):
        named["required"] = False
    if isinstance(model_field, models.TextField):
        options["widget"] = forms.Textarea(attrs={"rows": 5})
    return model_field.formfield(**named | options)


class HiddenJSONField(forms.JSONField):
    """JSON that the page carries. Django's field lets numbers of thousands of digits and deep nesting raise errors."""

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
    """One group of settings, with what they were when the page was made."""

    made_from = HiddenJSONField()

    def __init__(self, *arguments: Any, left_out: Collection[str] = (), **options: Any) -> None:
        """`left_out` are settings that the page does not show. What a browser sends for them changes nothing."""
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
        """The settings as filled in, with line ends as they are kept."""
        given = {name: self.cleaned_data[name] for name in self.names}
        return {name: one_kind_of_line_end(value) for name, value in given.items()}


def _form_of(settings: tuple[Setting, ...]) -> type[SettingsForm]:
    names = [setting.name for setting in settings]
    made = modelform_factory(Study, form=SettingsForm, fields=names, formfield_callback=_field_for)
    return cast(type[SettingsForm], made)


SETTINGS_FORMS = {group.key: _form_of(group.settings) for group in GROUPS}


class TermsForm(forms.Form):
    """What people agree to: the harms that videos may show, and the words, in each language."""

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
        """The words by language, with line ends as they are kept; a language left empty has none."""
        said = {code: one_kind_of_line_end(self.cleaned_data[f"text_{code}"]) for code in self.languages}
        return {code: text for code, text in said.items() if text.strip()}

    @property
    def text_fields(self) -> list[forms.BoundField]:
        return [self[f"text_{code}"] for code in self.languages]


class SettingsFileForm(forms.Form):
    """A file of settings, chosen first and then confirmed, when its content comes back with the page."""

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
        """The bytes of the file, or what came back with the page."""
        file = self.cleaned_data.get("file")
        return bytes(file.read()) if file else str(self.cleaned_data["returned"]).encode()


class InviteForm(forms.Form):
    """People by their user names."""

    names = forms.CharField(
        label=gettext_lazy("User names"),
        max_length=80_000,
        widget=forms.Textarea(attrs={"rows": 3, "autocapitalize": "none", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Write one name per line. People who have an account get an invitation, which they can "
            "accept or decline. Everybody else gets an account with a one-time password."
        ),
    )

    def clean_names(self) -> list[str]:
        names = list(dict.fromkeys(self.cleaned_data["names"].split()))
        if len(names) > MOST_ADDED:
            limit = {"n": len(names), "most": MOST_ADDED}
            raise ValidationError(_("You entered %(n)s names. You can add at most %(most)s at once.") % limit)
        return names


class NumberedForm(forms.Form):
    """New people with numbers for names. `once` is drawn for each page, so that sending it twice adds nobody twice."""

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
    """The form with the roles that the person may give."""
    roles = [(role, label) for role, label in Role.choices if role in grantable]
    return type(form.__name__, (form,), {"role": forms.ChoiceField(label=gettext_lazy("Role"), choices=roles)})
