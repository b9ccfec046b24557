"""Settings that lead nowhere until the study has what they name. Their pages leave them out until then.

A setting that somebody has changed is always there, so that it can be changed back.
"""

from collections.abc import Callable

from studies.configuration import default_of
from studies.models import Study
from studies.setting_groups import SETTINGS

#: By the name of a setting: whether the study has what the setting names. Higher apps add theirs in `ready()`.
has_what_it_names: dict[str, Callable[[Study], bool]] = {}


def left_out(study: Study) -> set[str]:
    """Return the names of the settings that the pages of the study leave out."""
    return {
        name
        for name, exists in has_what_it_names.items()
        if getattr(study, name) == default_of(SETTINGS[name]) and not exists(study)
    }
