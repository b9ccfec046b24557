"""How people did on controls: numbers right with exact intervals, and alarms.

An alarm says that somebody should look. It never changes anything by itself.
"""

from typing import NamedTuple

from studies.models import Study

#: A person is judged against honest people at exactly these numbers of controls of a kind, never in between.
JUDGED_AT = (50, 100, 200)
#: From this number of controls on, a person can raise an alarm for random clicking.
FIRST_ALARM = 20
#: Values of `ControlFigures.alarm`. An empty one means no alarm.
RANDOM_CLICKING, BELOW_HONEST = "random_clicking", "below_honest"


class ControlFigures(NamedTuple):
    """How one person did on the controls of one kind. Withdrawn controls are left out.

    Args:
        n: controls answered.
        right: how many of these were right. The first submission is judged, not a later revision.
        low, high: the exact 95 % interval (Clopper and Pearson) of the share right.
        alarm: `RANDOM_CLICKING`, `BELOW_HONEST`, or empty.
        right_at: how many of the first 50, 100 and 200 were right, for each of these numbers that was reached.
    """

    n: int
    right: int
    low: float
    high: float
    alarm: str
    right_at: dict[int, int]


def figures_of(study: Study) -> dict[int, dict[str, ControlFigures]]:
    """Return the figures of each person of the study by kind. The keys are those of `User` and of `kinds.KINDS`."""
    return {}
