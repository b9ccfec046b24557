"""Checks a manifest line against the published JSON Schema, and says what is wrong in a person's words."""

import difflib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from diptych.strict_json import Fault
from diptych.visible_text import has_visible_character

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "manifest.schema.json").read_text("utf-8"))
KINDS = tuple(SCHEMA["$defs"])
#: One validator a kind: choosing by `type` is quicker than `oneOf`, and its errors speak of one kind only.
_VALIDATORS = {kind: Draft202012Validator(SCHEMA).evolve(schema=SCHEMA["$defs"][kind]) for kind in KINDS}
#: Far quicker, and asked first; what is wrong with a line is for the others to say.
_QUICK = {kind: jsonschema_rs.Draft202012Validator(SCHEMA["$defs"][kind]) for kind in KINDS}
_FIELDS = {kind: tuple(SCHEMA["$defs"][kind]["properties"]) for kind in KINDS}

MOST_ID_CHARACTERS = SCHEMA["$defs"]["video"]["properties"]["id"]["maxLength"]
_SHOWN_TO_ANNOTATORS = {"text": "the prompt", "video_text": "the text"}

MOST_SETTINGS_DEPTH = 20
MOST_SETTINGS_CHARACTERS = 20_000
MOST_SEED_DIGITS = 79  # and a sign


def faults(content: dict[str, Any]) -> list[Fault]:
    """Everything that keeps this line from being imported on its own account; empty for a good line."""
    kind = content.get("type")
    if not isinstance(kind, str) or kind not in _VALIDATORS:
        stated = "is missing" if kind is None else f"is {shown(kind)}"
        return [Fault("type", f"{stated}; it must be {in_words(KINDS)}")]
    found = list(_beyond_schema(content))
    if not _QUICK[kind].is_valid(content):
        found = [fault for error in _VALIDATORS[kind].iter_errors(content) for fault in _explain(error, kind)] + found
    return list(dict.fromkeys(found))


def _explain(error: ValidationError, kind: str) -> Iterator[Fault]:
    field = ".".join(str(step) for step in error.absolute_path)
    rule, needed, value = error.validator, cast(Any, error.validator_value), cast(Any, error.instance)
    if rule == "additionalProperties":
        for unknown in sorted(set(value) - set(_FIELDS[kind])):
            yield Fault(shorten(unknown), f"is no field of a {kind}{hint(unknown, _FIELDS[kind])}")
    elif rule == "required":
        yield from (Fault(name, "is missing") for name in needed if name not in value)
    elif rule == "dependentRequired":
        for name, needs in needed.items():
            yield from (
                Fault(need, f"is missing; {name} needs it") for need in needs if name in value and need not in value
            )
    else:
        yield Fault(field, _reason(error))


def _reason(error: ValidationError) -> str:
    rule, limit, value = error.validator, cast(Any, error.validator_value), cast(Any, error.instance)
    if rule == "type":
        wanted = in_words([limit] if isinstance(limit, str) else limit)
        advice = "; leave the field out instead" if value is None else ""
        return f"is {shown(value)}; it must be of type {wanted}{advice}"
    if rule == "enum":
        return f"is {shown(value)}; it must be {in_words(limit)}{hint(value, limit)}"
    if rule == "maxLength":
        return f"is {len(value)} characters long; at most {limit} fit"
    if rule in ("minLength", "pattern") and not str(value).strip():
        return "is empty"
    if rule == "minimum" or rule == "maximum":
        return f"is {value}; it must be at {'least' if rule == 'minimum' else 'most'} {limit}"
    if rule == "uniqueItems":
        return "names something twice"
    if rule == "pattern":
        return f"is {shown(value)}, which is not a BCP 47 language tag such as en or zh-Hans"
    return shorten(error.message)


def _beyond_schema(content: dict[str, Any]) -> Iterator[Fault]:
    """What JSON Schema cannot say: PostgreSQL stores no NUL, and settings have a size."""
    for name, value in content.items():
        depth, has_nul = (0, "\x00" in value) if isinstance(value, str) else _measure(value)
        if has_nul or "\x00" in name:
            yield Fault(name.replace("\x00", "�"), "contains the NUL character, which the database cannot store")
        if name == "settings" and depth > MOST_SETTINGS_DEPTH:
            yield Fault(name, f"is nested more than {MOST_SETTINGS_DEPTH} levels deep")
        elif name == "settings" and len(json.dumps(value)) > MOST_SETTINGS_CHARACTERS:
            yield Fault(name, f"is longer than {MOST_SETTINGS_CHARACTERS} characters as JSON")
    for name, words in _SHOWN_TO_ANNOTATORS.items():
        text = content.get(name)
        if isinstance(text, str) and text.strip() and not has_visible_character(text):
            yield Fault(name, f"{words} has no visible character")
    seed = content.get("seed")
    if isinstance(seed, float):
        yield Fault("seed", "is a number that cannot be kept exactly; write it in quotation marks")
    elif isinstance(seed, int) and abs(seed) >= 10**MOST_SEED_DIGITS:
        yield Fault("seed", f"has more than {MOST_SEED_DIGITS} digits")


def _measure(value: Any) -> tuple[int, bool]:
    """How deep the value is nested, and whether a NUL character is in it."""
    if isinstance(value, str):
        return 0, "\x00" in value
    if not isinstance(value, dict | list):
        return 0, False
    inside = [*value, *value.values()] if isinstance(value, dict) else value
    measured = [_measure(part) for part in inside]
    return 1 + max((depth for depth, _ in measured), default=0), any(has_nul for _, has_nul in measured)


def hint(given: Any, known: Iterable[Any]) -> str:
    """“ (did you mean x?)”, if something known is near."""
    near = difflib.get_close_matches(str(given)[:100], [str(one) for one in known], n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def in_words(options: Iterable[Any]) -> str:
    *most, last = [str(option) or "empty" for option in options]
    return f"{', '.join(most)} or {last}" if most else last


def shown(value: Any) -> str:
    return shorten(json.dumps(value, ensure_ascii=False))


def shorten(text: str, most: int = 80) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
