"""Write the settings of a study to a file, and read a file with the same forms as the pages.

A file has all settings except the title, the harms that people agree to, the texts in force, and what other apps add
(`settings_parts.py`). It never has people, tokens, the key behind author codes, or any material.
"""

import json
import re
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings as django_settings
from django.db import models, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych import strict_json
from diptych.refusals import BadInput, ChangedMeanwhile
from studies import settings_parts
from studies.configuration import configure, shown
from studies.documents.publishing import faults_of, needed_sections, publish
from studies.documents.texts import present_version, versions
from studies.durations import SECOND
from studies.forms import SETTINGS_FORMS
from studies.harms import HARM_KEYS, HARMS
from studies.models import Document, Study
from studies.setting_groups import GROUPS, SETTINGS, Setting
from studies.terms import change_terms

FORMAT = "diptych-study-settings"
VERSION = 1
LARGEST_BYTES = 1 << 20
MOST_FAULTS = 20
#: A whole number that is written as a string.
WHOLE = re.compile(r"^-?[0-9]{1,19}$")
#: The title belongs to one study only. All other settings are in the file.
NOT_IN_FILE = frozenset({"title"})
IN_FILE = {name: setting for name, setting in SETTINGS.items() if name not in NOT_IN_FILE}
KINDS = {"guideline": Document.Kind.GUIDELINE, "consent": Document.Kind.CONSENT}


def as_file(study: Study) -> dict[str, Any]:
    """Return the study's settings as the JSON value of a file."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "settings": {name: _written(getattr(study, name)) for name in IN_FILE},
        "categories": sorted(study.categories),
        "texts": {name: texts_in_force(study, kind) for name, kind in KINDS.items()},
        "parts": settings_parts.values_of(study),
    }


def _written(value: Any) -> Any:
    """Return a value for the file. A whole number that some programs cannot store exactly becomes a string."""
    return str(value) if type(value) is int and abs(value) > strict_json.LARGEST_NUMBER else value


def texts_in_force(study: Study, kind: str) -> dict[str, str]:
    """Return the texts in force by language."""
    rows = versions(study, kind).filter(version=present_version(study, kind))
    return dict(rows.order_by("language").values_list("language", "text"))


def to_bytes(value: Mapping[str, Any]) -> bytes:
    """Return the bytes of the file, indented so that people can read and compare it."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a file."""
    codes = [code for code, _name in django_settings.LANGUAGES]
    texts = {code: {"type": "string", "minLength": 1} for code in codes}
    one_text = {"type": "object", "properties": texts, "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of a study",
        "type": "object",
        "properties": {
            "format": {"const": FORMAT},
            "version": {"const": VERSION},
            "settings": {
                "type": "object",
                "properties": {name: _schema_of(setting) for name, setting in IN_FILE.items()},
                "additionalProperties": False,
            },
            "categories": {"type": "array", "items": {"enum": list(HARM_KEYS)}, "uniqueItems": True},
            "texts": {
                "type": "object",
                "properties": dict.fromkeys(KINDS, one_text),
                "additionalProperties": False,
            },
            "parts": {
                "type": "object",
                "properties": {name: dict(part.schema) for name, part in settings_parts.parts.items()},
                "additionalProperties": False,
            },
        },
        "required": ["format", "version"],
        "additionalProperties": False,
    }


def _schema_of(setting: Setting) -> dict[str, Any]:
    column = Study._meta.get_field(setting.name)
    about = {"title": str(setting.label), "description": str(setting.about)}
    if setting.seconds is not None:
        return about | {"type": "integer", "minimum": setting.seconds[0], "maximum": setting.seconds[1]}
    if setting.share is not None:
        return about | {"type": "number", "minimum": setting.least_share, "maximum": setting.share}
    if isinstance(column, models.BooleanField):
        return about | {"type": "boolean"}
    if isinstance(column, models.BigIntegerField):
        return about | {"type": ["integer", "string"], "pattern": WHOLE.pattern}
    if isinstance(column, models.IntegerField):
        return about | {"type": "integer"}
    choices = getattr(column, "choices", None)
    return about | ({"enum": [key for key, _label in choices]} if choices else {"type": "string"})


# --- Reading ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between the file and the study: its name, and both values in words."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """The content of a file: settings, harms, texts and parts. None means that the file does not have it."""

    settings: dict[str, Any] = field(default_factory=dict)
    categories: list[str] | None = None
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)


def read(content: bytes, study: Study) -> Wanted:
    """Return the content of a file. Raises BadInput with all errors, one per line, each with its place."""
    value = _value_of(content)
    faults: list[str] = []
    wanted = Wanted(
        _settings_of(value.get("settings", {}), study, faults),
        _categories_of(value.get("categories"), faults),
        _texts_of(value.get("texts", {}), faults),
        _parts_of(value.get("parts", {}), faults),
    )
    if faults:
        more = len(faults) - MOST_FAULTS
        said = faults[:MOST_FAULTS] + ([_("And %(n)s more.") % {"n": more}] if more > 0 else [])
        raise BadInput("\n".join(said))
    return wanted


def _value_of(content: bytes) -> dict[str, Any]:
    if len(content) > LARGEST_BYTES:
        raise BadInput(_("The file is larger than 1 MB, so it is not a settings file. Choose another file."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(_("The file is not text in UTF-8. Save it as UTF-8 and try again.")) from None
    try:
        value, faults = strict_json.loads(text)
    except ValueError as error:
        raise BadInput(_("The file is not JSON: %(reason)s.") % {"reason": error}) from None
    if faults:
        raise BadInput("\n".join(f"{fault.field}: {fault.reason}." for fault in faults[:MOST_FAULTS]))
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        sentence = _("The file is not a settings file: “format” must be “%(format)s”.")
        raise BadInput(sentence % {"format": FORMAT})
    if type(value.get("version")) is not int or value["version"] != VERSION:
        sentence = _("The file has version %(version)s. This installation can read only version %(known)s.")
        raise BadInput(sentence % {"version": json.dumps(value.get("version")), "known": VERSION})
    known = ("settings", "categories", "texts", "parts")
    if unknown := sorted(value.keys() - {"format", "version", *known}):
        raise BadInput(_unknown(unknown, known))
    return value


def _unknown(names: list[str], known: Any) -> str:
    shown_names = ", ".join(f"“{name[:60]}”" for name in names[:10])
    sentence = _("These names are unknown: %(names)s. The known names are: %(known)s.")
    return sentence % {"names": shown_names, "known": ", ".join(known)}


def _settings_of(given: Any, study: Study, faults: list[str]) -> dict[str, Any]:
    """Return the settings, cleaned by the forms of the pages. Settings that are not in the file stay as they are."""
    if not isinstance(given, dict):
        faults.append(_("settings: this must be an object with the names of settings."))
        return {}
    if unknown := sorted(given.keys() - IN_FILE.keys()):
        faults.append(f"settings: {_unknown(unknown, IN_FILE)}")
    typed = {}
    for name in [one for one in IN_FILE if one in given]:
        if fault := _type_fault(IN_FILE[name], given[name]):
            faults.append(f"settings.{name}: {fault}")
        else:
            typed[name] = given[name]
    cleaned: dict[str, Any] = {}
    for group in GROUPS:
        if not typed.keys() & set(group.names):
            continue
        present = {name: getattr(study, name) for name in group.names}
        sent: dict[str, Any] = {"made_from": json.dumps(present)}
        for setting in group.settings:
            sent |= _as_sent(setting, typed.get(setting.name, present[setting.name]))
        form = SETTINGS_FORMS[group.key](sent, instance=copy(study))
        form.is_valid()
        faults += [f"settings: {said}" for said in form.non_field_errors()]
        for name in [one for one in group.names if one in typed]:
            if name in form.errors:
                faults += [f"settings.{name}: {said}" for said in form.errors[name]]
            else:
                cleaned[name] = form.cleaned_data[name]
    return cleaned


def _type_fault(setting: Setting, value: Any) -> str:
    """Return what is wrong with the type of a value, or an empty string. A form would silently convert such a value."""
    expected = _schema_of(setting)
    kinds: dict[str, tuple[Callable[[Any], bool], str]] = {
        "boolean": (lambda one: type(one) is bool, _("This must be true or false.")),
        "integer": (lambda one: type(one) is int, _("This must be a whole number.")),
        "number": (lambda one: type(one) in (int, float), _("This must be a number.")),
        "string": (lambda one: type(one) is str, _("This must be a string.")),
    }
    if "enum" in expected:
        known = ", ".join(expected["enum"])
        return "" if value in expected["enum"] else _("This must be one of: %(known)s.") % {"known": known}
    if "pattern" in expected and type(value) is str and WHOLE.match(value):
        return ""
    kind = expected["type"]
    fits, said = kinds[kind if isinstance(kind, str) else kind[0]]
    return "" if fits(value) else said


def _as_sent(setting: Setting, value: Any) -> dict[str, Any]:
    """Return a value as a browser sends it in the form of its group."""
    if setting.seconds is not None:
        return {f"{setting.name}_0": str(value), f"{setting.name}_1": str(SECOND)}
    if setting.share is not None:
        return {setting.name: repr(round(value * 100, 10))}
    if isinstance(value, bool):
        return {setting.name: "on"} if value else {}
    return {setting.name: value}


def _categories_of(given: Any, faults: list[str]) -> list[str] | None:
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        faults.append(_("categories: this must be a list of harms."))
        return None
    if unknown := sorted(set(given) - set(HARM_KEYS)):
        faults.append(f"categories: {_unknown(unknown, HARM_KEYS)}")
        return None
    return [key for key in HARM_KEYS if key in given]


def _texts_of(given: Any, faults: list[str]) -> dict[str, dict[str, str]]:
    if not isinstance(given, dict):
        faults.append(_("texts: this must be an object with “guideline” and “consent”."))
        return {}
    if unknown := sorted(given.keys() - KINDS.keys()):
        faults.append(f"texts: {_unknown(unknown, KINDS)}")
    found = {}
    for name in [one for one in KINDS if one in given]:
        texts = given[name]
        if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
            faults.append(_("texts.%(name)s: this must be an object with a text for each language.") % {"name": name})
            continue
        wrong = faults_of(texts, needed_sections(KINDS[name]))
        faults += [f"texts.{name}: {said}" for said in wrong]
        found[name] = {language: text.replace("\r\n", "\n") for language, text in texts.items()}
    return found


def _parts_of(given: Any, faults: list[str]) -> dict[str, Any]:
    if not isinstance(given, dict):
        faults.append(_("parts: this must be an object with the names of parts."))
        return {}
    if unknown := sorted(given.keys() - settings_parts.parts.keys()):
        faults.append(f"parts: {_unknown(unknown, settings_parts.parts)}")
    found = {}
    for name in [one for one in settings_parts.parts if one in given]:
        wrong: list[str] = []
        found[name] = settings_parts.parts[name].read(given[name], wrong)
        faults += [f"parts.{name}: {said}" for said in wrong]
    return found


# --- What would change, and changing it -----------------------------------------------------------------------


def differences(wanted: Wanted, study: Study) -> list[Difference]:
    """Return what applying the file would change, in the order of the pages."""
    found = [
        Difference(str(setting.label), shown(setting, getattr(study, name)), shown(setting, wanted.settings[name]))
        for name, setting in IN_FILE.items()
        if name in wanted.settings and wanted.settings[name] != getattr(study, name)
    ]
    if wanted.categories is not None and set(wanted.categories) != set(study.categories):
        found.append(Difference(_("Harms"), _harms_in_words(study.categories), _harms_in_words(wanted.categories)))
    words = {"guideline": _("Guideline"), "consent": _("Consent text")}
    for name, texts in wanted.texts.items():
        if texts != texts_in_force(study, KINDS[name]):
            version = present_version(study, KINDS[name])
            now, then = {"number": version}, {"number": version + 1}
            label = _("version %(number)s")
            found.append(Difference(words[name], label % now, label % then))
    for name, value in wanted.parts.items():
        part = settings_parts.parts[name]
        if value != (present := part.value_of(study)):
            found.append(Difference(str(part.label), part.in_words(present), part.in_words(value)))
    return found


def _harms_in_words(keys: Any) -> str:
    return " · ".join(harm.label for harm in HARMS if harm.key in keys) or _("none")


def state_of(study: Study) -> dict[str, Any]:
    """Return the values with which a file is compared. They show whether somebody else changed the study meanwhile."""
    return own_state_of(study) | {"parts": settings_parts.values_of(study)}


def own_state_of(study: Study) -> dict[str, Any]:
    """Return the same without the parts of other apps."""
    return {name: getattr(study, name) for name in IN_FILE} | {
        "guideline_version": study.guideline_version,
        "consent_version": study.consent_version,
    }


@transaction.atomic
def apply(study: Study, wanted: Wanted, *, made_from: Mapping[str, Any], actor: User, copied: bool = False) -> int:
    """Apply the file, all of it or nothing, and return the number of changes.

    Args:
        made_from: `state_of` the study as the person saw it.
        copied: whether the settings are those of another study, copied to a new one.

    Raises Refused, ChangedMeanwhile if somebody else changed the study since then, and PromisesUnkept.
    """
    seen = dict(made_from)
    # Before the study is locked, because it is the last in the order of locks.
    changed = settings_parts.apply(study, wanted.parts, seen=seen.pop("parts", {}), actor=actor)
    locked = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if seen != own_state_of(locked):
        raise ChangedMeanwhile(
            _("Somebody else changed the settings after you opened this page. Check the differences again.")
        )
    changed += len(differences(wanted, locked))
    configure(locked, wanted.settings, made_from=seen, actor=actor, copied=copied)
    consent = wanted.texts.get("consent")
    if wanted.categories is not None or consent is not None:
        change_terms(locked, categories=wanted.categories, texts=consent, actor=actor)
    guideline = wanted.texts.get("guideline")
    if guideline is not None and guideline != texts_in_force(locked, Document.Kind.GUIDELINE):
        publish(locked, Document.Kind.GUIDELINE, texts=guideline, actor=actor)
    study.refresh_from_db()
    return changed


def copy_settings(source: Study, target: Study, *, actor: User) -> None:
    """Copy settings, harms, texts and the parts of other apps to a new study.

    Call it in the transaction that makes the study.
    """
    value = as_file(source)
    wanted = Wanted(value["settings"], value["categories"], value["texts"], value["parts"])
    apply(target, wanted, made_from=state_of(target), actor=actor, copied=True)
    after = {"from": source.slug}
    audit.record("study.settings_copied", target, actor=actor, study_slug=target.slug, after=after)
