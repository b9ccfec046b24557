"""A person's preferences: how possibly harmful content is shown, the language and the time zone."""

import json
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext_lazy as _

from accounts import audit, days
from accounts.models import User, ViewingPreference

#: Parts of the world, by the first part of a zone's name.
REGIONS = {
    "Africa": _("Africa"),
    "America": _("America"),
    "Antarctica": _("Antarctica"),
    "Arctic": _("Arctic"),
    "Asia": _("Asia"),
    "Atlantic": _("Atlantic"),
    "Australia": _("Australia"),
    "Europe": _("Europe"),
    "Indian": _("Indian Ocean"),
    "Pacific": _("Pacific"),
}


@cache
def cities() -> dict[str, tuple[str, str]]:
    """Return the city of each time zone that people can choose, in English and in Chinese, by the zone's name.

    The zones are those that browsers name, without aliases. The cities are those of the Unicode CLDR.
    """
    known: dict[str, tuple[str, str]] = json.loads(Path(__file__).with_name("time_zones.json").read_text("utf-8"))
    return {name: both for name, both in known.items() if name in days.known_zones()}


@cache
def zones() -> tuple[str, ...]:
    """Return the names of the time zones that people can choose."""
    return ("UTC", *sorted(cities()))


def zone_choices(stored: str) -> list[Any]:
    """Return the time zones for a select element, grouped by part of the world, with cities in the page's language.

    The stored zone comes first if it is not offered otherwise, since a browser may have named it. If none is stored,
    "not chosen yet" comes first. It cannot be chosen again later.
    """
    language = 1 if (get_language() or "").startswith("zh") else 0
    grouped = [
        (
            REGIONS[region],
            [(name, cities()[name][language]) for name in sorted(names, key=lambda name: cities()[name][0])],
        )
        for region, names in groupby(zones()[1:], key=lambda name: name.split("/")[0])
    ]
    own = [(stored, stored)] if stored and stored not in zones() else []
    return [*([] if stored else [("", _("not chosen yet (UTC)"))]), *own, ("UTC", "UTC"), *grouped]


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
