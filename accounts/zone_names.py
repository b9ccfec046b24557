"""Time zones that people can choose, with their names in English and Chinese.

The Chinese names are those of CLDR 47 (see NOTICE). Neither the database of time zones nor Django has any.
"""

import json
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts import days

#: Parts of the world. All other names in the database of time zones are abbreviations.
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
def _names() -> Any:
    """Return the Chinese names by region and place, and the old names of zones that have a newer one."""
    return json.loads(Path(__file__).with_name("zone_names.json").read_text(encoding="utf-8"))


@cache
def zones() -> tuple[str, ...]:
    """Return the zones that people can choose: each place once, under its present name."""
    aliases = set(_names()["aliases"])
    return tuple(sorted(name for name in days.known_zones() - aliases if name.split("/")[0] in REGIONS and "/" in name))


def label(zone: str) -> str:
    """Return the name of the zone's place in the language of the page. In Chinese, the English name follows."""
    region, _slash, place = zone.partition("/")
    english = place.replace("_", " ").replace("/", ", ")
    chinese = _names()["chinese"].get(region, {}).get(place)
    if chinese and (get_language() or "").startswith("zh"):
        return f"{chinese}（{english}）"
    return english or zone


def zone_choices(stored: str) -> list[Any]:
    """Return the time zones for a select element, grouped by part of the world.

    The stored zone comes first if it is not offered otherwise, since a browser may have named it. If none is stored,
    "not chosen yet" comes first. It cannot be chosen again later.
    """
    grouped = [
        (REGIONS[region], [(name, label(name)) for name in names])
        for region, names in groupby(zones(), key=lambda name: name.split("/")[0])
    ]
    own = [(stored, label(stored))] if stored and stored not in {*zones(), "UTC"} else []
    return [*([] if stored else [("", _("not chosen yet (UTC)"))]), *own, ("UTC", "UTC"), *grouped]
