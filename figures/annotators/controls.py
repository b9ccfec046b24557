"""What controls say about annotators, in words for the pages."""

from typing import Any

from django.utils.translation import gettext as _

from controls import figures
from controls.control_kinds import KINDS
from studies.models import Study


def controls_of(study: Study) -> dict[int, list[dict[str, Any]]]:
    """Return for each person, by their key, one line for each kind of control that they answered.

    A line has `kind` and `alarm` in words (empty without an alarm), the `code` of the kind, and the share right as
    other figures have it: `count`, `of`, `share`, `low`, `high`.
    """
    alarms = {
        figures.RANDOM_CLICKING: _("looks like random clicking"),
        figures.BELOW_HONEST: _("below honest people"),
    }
    return {
        person: [
            {
                "kind": KINDS[kind].label,
                "code": kind,
                "count": one.right,
                "of": one.n,
                "share": one.right / one.n if one.n else None,
                "low": one.low,
                "high": one.high,
                "alarm": alarms.get(one.alarm, ""),
            }
            for kind, one in found.items()
        ]
        for person, found in figures.figures_of(study).items()
    }
