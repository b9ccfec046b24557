"""What a study must have before one of its settings may be changed to a value. Apps register it in `ready()`."""

from collections.abc import Callable, Mapping
from typing import Any

from diptych.refusals import Refused
from studies.models import Study

#: By name of a setting: a function of the study and the new value that returns a sentence with what is missing, or "".
needs: dict[str, Callable[[Study, Any], str]] = {}


def refuse_unmet(study: Study, changed: Mapping[str, Any]) -> None:
    """Raise Refused if the study lacks what one of the changed settings needs."""
    for name, lacking in needs.items():
        if name in changed and (sentence := lacking(study, changed[name])):
            raise Refused(sentence, "setting_needs_more")
