"""Check a manifest line against the published JSON Schema, and explain each fault in plain words."""

import difflib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
from django.utils.translation import gettext_noop as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from diptych.strict_json import Fault
from diptych.visible_text import has_visible_character
from sources.label_lines import faults_of_label
from sources.sentences import Sentence

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "manifest.schema.json").read_text("utf-8"))
KINDS = tuple(SCHEMA["$defs"])
#: One validator per kind. This is quicker than `oneOf`, and errors are about one kind only.
_VALIDATORS = {kind: Draft202012Validator(SCHEMA).evolve(schema=SCHEMA["$defs"][kind]) for kind in KINDS}
#: Much quicker validators, which are tried first. They do not explain what is wrong.
_QUICK = {kind: jsonschema_rs.Draft202012Validator(SCHEMA["$defs"][kind]) for kind in KINDS}
_FIELDS = {kind: tuple(SCHEMA["$defs"][kind]["properties"]) for kind in KINDS}

MOST_ID_CHARACTERS = SCHEMA["$defs"]["video"]["properties"]["id"]["maxLength"]
#: What is said about a text that annotators see, if it is invisible.
_INVISIBLE = {"text": _("the prompt has no visible character"), "video_text": _("the text has no visible character")}

MOST_SETTINGS_DEPTH = 20
MOST_SETTINGS_CHARACTERS = 20_000
MOST_SEED_DIGITS = 79  # and a sign


def faults(content: dict[str, Any]) -> list[Fault]:
    """Return all faults of a line by itself. The list is empty for a good line."""
    kind = content.get("type")
    if not isinstance(kind, str) or kind not in _VALIDATORS:
        if kind is None:
            return [Fault("type", Sentence(_("is missing; it must be %(known)s"), known=in_words(KINDS)))]
        return [Fault("type", _not_one_of(kind, KINDS))]
    found = list(_beyond_schema(content))
    if kind == "label":
        found += faults_of_label(content)
    if not _QUICK[kind].is_valid(content):
        found = [fault for error in _VALIDATORS[kind].iter_errors(content) for fault in _explain(error, kind)] + found
    return list(dict.fromkeys(found))


def _explain(error: ValidationError, kind: str) -> Iterator[Fault]:
    field = ".".join(str(step) for step in error.absolute_path)
    rule, needed, value = error.validator, cast(Any, error.validator_value), cast(Any, error.instance)
    if rule == "additionalProperties":
        for unknown in sorted(set(value) - set(_FIELDS[kind])):
            reason = Sentence(_("is not a field of a %(kind)s"), kind=kind)
            yield Fault(shorten(unknown), with_hint(reason, unknown, _FIELDS[kind]))
    elif rule == "required":
        yield from (Fault(name, Sentence(_("is missing"))) for name in needed if name not in value)
    elif rule == "dependentRequired":
        for name, needs in needed.items():
            yield from (
                Fault(need, Sentence(_("is missing; %(name)s needs it"), name=name))
                for need in needs
                if name in value and need not in value
            )
    elif rule != "oneOf":  # only labels have it, and `faults_of_label` explains it
        yield Fault(field, _reason(error))


def _not_one_of(value: Any, known: Iterable[Any]) -> Sentence:
    return Sentence(_("is %(value)s; it must be %(known)s"), value=shown(value), known=in_words(known))


def _reason(error: ValidationError) -> str:
    """Return what is wrong with the value, in a sentence that follows the field's name."""
    rule, limit, value = error.validator, cast(Any, error.validator_value), cast(Any, error.instance)
    if rule == "type":
        wanted = in_words([limit] if isinstance(limit, str) else limit)
        if value is None:
            return Sentence(
                _("is null; it must be of type %(type)s. To state nothing, leave the field out"), type=wanted
            )
        return Sentence(_("is %(value)s; it must be of type %(type)s"), value=shown(value), type=wanted)
    if rule == "enum":
        return with_hint(_not_one_of(value, limit), value, limit)
    if rule == "maxLength":
        template = _("is %(length)s characters long; at most %(most)s are allowed")
        return Sentence(template, length=len(value), most=limit)
    if rule in ("minLength", "pattern") and not str(value).strip():
        return Sentence(_("is empty"))
    if rule == "minimum":
        return Sentence(_("is %(value)s; it must be at least %(least)s"), value=value, least=limit)
    if rule == "maximum":
        return Sentence(_("is %(value)s; it must be at most %(most)s"), value=value, most=limit)
    if rule == "uniqueItems":
        return Sentence(_("has the same entry twice"))
    if rule == "pattern":
        template = _("is %(value)s, which is not a BCP 47 language tag such as en or zh-Hans")
        return Sentence(template, value=shown(value))
    return shorten(error.message)


def _beyond_schema(content: dict[str, Any]) -> Iterator[Fault]:
    """Yield faults that JSON Schema cannot express: PostgreSQL stores no NUL, and settings have a maximum size."""
    for name, value in content.items():
        depth, has_nul = (0, "\x00" in value) if isinstance(value, str) else _measure(value)
        if has_nul or "\x00" in name:
            reason = Sentence(_("contains the NUL character, which the database cannot store"))
            yield Fault(name.replace("\x00", "�"), reason)
        if name == "settings" and depth > MOST_SETTINGS_DEPTH:
            yield Fault(name, Sentence(_("is nested more than %(most)s levels deep"), most=MOST_SETTINGS_DEPTH))
        elif name == "settings" and len(json.dumps(value)) > MOST_SETTINGS_CHARACTERS:
            template = _("is longer than %(most)s characters as JSON")
            yield Fault(name, Sentence(template, most=MOST_SETTINGS_CHARACTERS))
    for name, template in _INVISIBLE.items():
        text = content.get(name)
        if isinstance(text, str) and text.strip() and not has_visible_character(text):
            yield Fault(name, Sentence(template))
    seed = content.get("seed")
    if isinstance(seed, float):
        yield Fault("seed", Sentence(_("is a number that cannot be stored exactly; write it in quotation marks")))
    elif isinstance(seed, int) and abs(seed) >= 10**MOST_SEED_DIGITS:
        yield Fault("seed", Sentence(_("has more than %(most)s digits"), most=MOST_SEED_DIGITS))


def _measure(value: Any) -> tuple[int, bool]:
    """Return how deep the value is nested, and whether it contains a NUL character."""
    if isinstance(value, str):
        return 0, "\x00" in value
    if not isinstance(value, dict | list):
        return 0, False
    inside = [*value, *value.values()] if isinstance(value, dict) else value
    measured = [_measure(part) for part in inside]
    return 1 + max((depth for depth, _ in measured), default=0), any(has_nul for _, has_nul in measured)


def with_hint(sentence: Sentence, given: Any, known: Iterable[Any]) -> Sentence:
    """Return the sentence with “(did you mean x?)” if a known word is similar to the given one."""
    near = difflib.get_close_matches(str(given)[:100], [str(one) for one in known], n=1)
    return Sentence(_("%(sentence)s (did you mean %(near)s?)"), sentence=sentence, near=near[0]) if near else sentence


def in_words(options: Iterable[Any]) -> str:
    """Return the options as “a, b or c”."""
    *most, last = [str(option) or '""' for option in options]
    return Sentence(_("%(others)s or %(last)s"), others=", ".join(most), last=last) if most else last


def shown(value: Any) -> str:
    """Return the beginning of a value as JSON."""
    return shorten(json.dumps(value, ensure_ascii=False))


def shorten(text: str, most: int = 80) -> str:
    """Return at most `most` characters of a text, with an ellipsis where it is cut."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
