"""The rules of a study in its settings file, so that a copy of its settings has them too."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from diptych.listing import listed
from diptych.refusals import BadInput
from findings import rule_codes, switches
from findings.rules import RULES
from studies.models import Study
from studies.settings_parts import Part

_LISTS = {"on": rule_codes.CODES, "invalidating": rule_codes.MAY_INVALIDATE}
SCHEMA = {
    "type": "object",
    "properties": {
        **{
            name: {"type": "array", "items": {"enum": list(known)}, "uniqueItems": True}
            for name, known in _LISTS.items()
        },
        "ask_again": {"type": "boolean"},
    },
    "required": [*_LISTS, "ask_again"],
    "additionalProperties": False,
}


def value_of(study: Study) -> dict[str, Any]:
    """Return the rules that are on, those that make answers invalid, and whether contradictions are asked again."""
    return switches.as_seen(switches.rules_of(study))


def read(given: Any, faults: list[str]) -> dict[str, Any] | None:
    """Return the rules of a file with their codes in order. Append what is wrong, and then return None."""
    if not isinstance(given, dict) or given.keys() != {*_LISTS, "ask_again"}:
        faults.append(_("This must be an object with “on”, “invalidating” and “ask_again”."))
        return None
    lists = [given[name] for name in _LISTS]
    if not all(isinstance(one, list) and all(isinstance(code, str) for code in one) for one in lists):
        faults.append(_("“on” and “invalidating” must be lists of rules."))
    elif type(given["ask_again"]) is not bool:
        faults.append(_("“ask_again” must be true or false."))
    else:
        try:
            return switches.chosen(**given)
        except BadInput as refusal:
            faults.append(refusal.sentence)
    return None


def in_words(value: dict[str, Any]) -> str:
    """Return the rules as one line."""
    on = listed(RULES[code].label for code in value["on"]) or _("none")
    invalidating = listed(RULES[code].label for code in value["invalidating"]) or _("none")
    asks = _("yes") if value["ask_again"] else _("no")
    return _("on: %(on)s · make answers invalid: %(invalidating)s · ask again after a contradiction: %(asks)s") % {
        "on": on,
        "invalidating": invalidating,
        "asks": asks,
    }


def change(study: Study, value: dict[str, Any], seen: dict[str, Any], actor: User) -> None:
    """Give the study these rules. Raise ChangedMeanwhile if its rules differ from `seen`."""
    switches.change_rules(study, **value, seen=seen, actor=actor)


PART = Part(gettext_lazy("Rules"), SCHEMA, value_of, read, in_words, change)
