"""Settings that have no effect until the study has, for example, control pairs. Pages hide them until then.

A setting that somebody has changed is always shown, so that it can be changed back.
"""

from collections.abc import Callable

from studies.configuration import default_of
from studies.models import Study
from studies.setting_groups import SETTINGS

#: By name of a setting: a function that returns whether the study has what it needs. Apps add theirs in `ready()`.
has_what_it_names: dict[str, Callable[[Study], bool]] = {}


def left_out(study: Study) -> set[str]:
    """Return the names of the settings that the pages of the study hide."""
    return {
        name
        for name, exists in has_what_it_names.items()
        if getattr(study, name) == default_of(SETTINGS[name]) and not exists(study)
    }
