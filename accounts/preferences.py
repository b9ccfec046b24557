"""A person's preferences: how possibly harmful content is shown, the language and the time zone."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from accounts import audit, days
from accounts.models import User, ViewingPreference
from accounts.zone_names import zone_choices


class StudySetting(NamedTuple):
    """What a study of a person has set where the person chooses nothing: the study's title, and the choice in words."""

    study: str
    media_filter: str | Promise


#: Functions that return what each of a person's studies has set. `studies` registers one in `AppConfig.ready()`.
study_settings: list[Callable[[User], Iterable[StudySetting]]] = []


def study_settings_of(person: User) -> list[StudySetting]:
    """Return what each of the person's studies has set, for the page of their preferences."""
    return [setting for rule in study_settings for setting in rule(person)]


def language_choices() -> list[tuple[str, Any]]:
    """Return the languages of the product, each with its own name for itself."""
    named = [(code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES]
    return [("", _("same as the browser")), *named]


class PreferencesForm(forms.Form):
    """The form of the page "Display preferences"."""

    media_filter = forms.ChoiceField(
        label=_("How possibly harmful videos are shown"),
        choices=ViewingPreference.MediaFilter.choices,
        required=False,
        widget=forms.RadioSelect,
    )
    name_categories = forms.ChoiceField(
        label=_("Warning before possibly harmful pairs"),
        choices=[("no", _("say only that a pair may show harm")), ("yes", _("also name the kinds of harm"))],
        required=False,
        widget=forms.RadioSelect,
    )
    locale = forms.ChoiceField(label=_("Language"), choices=language_choices, required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    def __init__(self, data: Any, *, person: User) -> None:
        chosen = preferences_of(person)
        super().__init__(data, initial=chosen | {"name_categories": "yes" if chosen["name_categories"] else "no"})
        zone: forms.ChoiceField = self.fields["time_zone"]  # type: ignore[assignment]
        zone.choices = zone_choices(person.time_zone)
        zone.required = bool(person.time_zone)

    def clean_name_categories(self) -> bool:
        return bool(self.cleaned_data["name_categories"] == "yes")


def preferences_of(person: User) -> dict[str, Any]:
    """Return what the person has chosen, by field of the form."""
    viewing = ViewingPreference.objects.filter(user=person).first() or ViewingPreference(user=person)
    return {
        "media_filter": viewing.media_filter,
        "name_categories": viewing.name_categories,
        "locale": person.locale,
        "time_zone": person.time_zone,
    }


@transaction.atomic
def save_preferences(person: User, wanted: dict[str, Any]) -> bool:
    """Save what the person chose, and return whether anything changed. The audit row names only the changed fields."""
    # This lock also works before there is a row of preferences. Requests that store answers do not wait for it.
    locked = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    before = preferences_of(locked)
    changed = sorted(name for name, value in wanted.items() if value != before[name])
    if not changed:
        return False
    ViewingPreference.objects.update_or_create(
        user=locked,
        defaults={name: wanted[name] for name in ("media_filter", "name_categories")},
    )
    locked.locale = wanted["locale"]
    locked.save(update_fields=["locale"])
    if "time_zone" in changed:
        days.change_zone(locked, wanted["time_zone"], timezone.now())
    audit.record("user.preferences_changed", locked, actor=person, after={"fields": changed})
    return True
