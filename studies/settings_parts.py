"""Parts of a settings file that other apps add in `AppConfig.ready()`, such as the rules of quality control."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.models import User
from diptych.refusals import ChangedMeanwhile
from studies.models import Study


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the file. Its values are JSON, and equal values mean the same.

    Attributes:
        label: its name on the page that shows what a file would change.
        schema: its JSON Schema.
        value_of: the study's present value.
        read: clean a value of a file. It appends what is wrong to the list, one sentence each, and then returns None.
        in_words: a value as one line for people.
        change: give the study a value. Its third argument is the value that the person saw: raise ChangedMeanwhile if
            the study has another one now.
    """

    label: Promise
    schema: Mapping[str, Any]
    value_of: Callable[[Study], Any]
    read: Callable[[Any, list[str]], Any]
    in_words: Callable[[Any], str]
    change: Callable[[Study, Any, Any, User], None]


#: By the name of the part in the file.
parts: dict[str, Part] = {}


def values_of(study: Study) -> dict[str, Any]:
    """Return the study's present value of every part."""
    return {name: part.value_of(study) for name, part in parts.items()}


def apply(study: Study, wanted: Mapping[str, Any], *, seen: Mapping[str, Any], actor: User) -> int:
    """Give the study these values, and return how many differed. Raise ChangedMeanwhile if it differs from `seen`."""
    present = values_of(study)
    if present != dict(seen):
        raise ChangedMeanwhile(
            _("Somebody else changed the settings after you opened this page. Check the differences again.")
        )
    changed = [name for name in wanted if wanted[name] != present[name]]
    for name in changed:
        parts[name].change(study, wanted[name], seen[name], actor)
    return len(changed)
