"""Options of formats, such as which question each column of a CSV has.

The form, the API and the command share these checks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from diptych.refusals import BadInput
from releases.items import QUESTIONS

VIDEOREWARD = "videoreward"
#: Which question of ours each column of the VideoReward CSV has, unless somebody chooses otherwise.
VIDEOREWARD_COLUMNS = {
    "VQ": "aesthetics",
    "MQ": "correctness",
    "TA": "instruction_following",
    "Overall": "helpfulness",
}
COLUMN_LABELS: dict[str, Any] = {
    "VQ": gettext_lazy("VQ, visual quality"),
    "MQ": gettext_lazy("MQ, motion quality"),
    "TA": gettext_lazy("TA, text alignment"),
    "Overall": gettext_lazy("Overall"),
}


def checked(formats: Sequence[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of these formats, with defaults for what is not given. Raise BadInput.

    Options of a format that was not chosen are left out.
    """
    if unknown := sorted(set(given) - {VIDEOREWARD}):
        raise BadInput(_("There is no option %(names)s.") % {"names": ", ".join(unknown)}, field="options")
    if VIDEOREWARD not in formats:
        return {}
    return {VIDEOREWARD: _columns(given.get(VIDEOREWARD) or {})}


def _columns(given: Mapping[str, Any]) -> dict[str, str]:
    if unknown := sorted(set(given) - set(VIDEOREWARD_COLUMNS)):
        known = {"names": ", ".join(unknown), "known": ", ".join(VIDEOREWARD_COLUMNS)}
        raise BadInput(
            _("The VideoReward CSV has no column %(names)s to choose. It has: %(known)s.") % known, field="options"
        )
    chosen = VIDEOREWARD_COLUMNS | dict(given)
    if wrong := sorted({str(question) for question in chosen.values()} - set(QUESTIONS)):
        known = {"names": ", ".join(wrong), "known": ", ".join(QUESTIONS)}
        raise BadInput(_("There is no question %(names)s. The questions are: %(known)s.") % known, field="options")
    return chosen
