"""How people did on controls: numbers right with exact intervals, and alarms.

An alarm says that somebody should look. It never changes anything by itself. Figures are computed from the results
whenever they are read, so a withdrawn control is in none of them from that moment on.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import NamedTuple

from django.db import connection
from django.db.models import Q

from annotation.models import Seat
from controls.control_kinds import KINDS
from diptych.statistics.rates import share_between
from studies.models import Study

#: A person is judged against honest people at exactly these numbers of controls of a kind, never in between.
JUDGED_AT = (50, 100, 200)
#: From this number of controls on, a person can raise an alarm for random clicking.
FIRST_ALARM = 20
#: Values of `ControlFigures.alarm`. An empty one means no alarm.
RANDOM_CLICKING, BELOW_HONEST = "random_clicking", "below_honest"

#: What somebody who clicks at random gets right at most: one of two choices, tagged or not.
COIN = 0.5
#: Random clicking is an alarm if so few right ones have at most this probability for honest people, and so many right
#: ones at least `PLAUSIBLE` for a coin. docs/quality.md says how often honest people raise it.
RARE, PLAUSIBLE = 0.001, 0.05
#: A study's own honest rate is the median of so many people with `FIRST_ALARM` results. With fewer of these, it is the
#: share of `ENOUGH_RESULTS` results of so many people, each with at least `ENOUGH_EACH`.
ENOUGH_PEOPLE, ENOUGH_EACH, ENOUGH_RESULTS = 10, 5, 200


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


@dataclass(frozen=True, slots=True)
class Honest:
    """What honest people get right of one kind.

    Args:
        rate: the share right, from 0 to 1.
        people: how many people in good standing the study's own estimate is from. None: the rate is a default.
        results: how many results it is the share of. None: it is the median of these people's shares, or a default.
    """

    rate: float
    people: int | None = None
    results: int | None = None


#: For each person and kind: results, right ones, and right ones among the first 50, 100 and 200.
COUNTS = f"""
SELECT person_id, kind, count(*), count(*) FILTER (WHERE "right"),
       {", ".join(f'count(*) FILTER (WHERE "right" AND place <= {number})' for number in JUDGED_AT)}
  FROM (SELECT result.person_id, result.kind, result."right",
               row_number() OVER (PARTITION BY result.person_id, result.kind
                                      ORDER BY result.answered_at, result.assignment_id) AS place
          FROM controls_controlresult result
         WHERE result.study_id = %(study)s
           AND NOT EXISTS (SELECT FROM controls_control control
                            WHERE control.id = result.control_id AND control.withdrawn_at IS NOT NULL)) numbered
 GROUP BY person_id, kind
"""  # noqa: S608 - of numbers of ours


class Counts(NamedTuple):
    """One person's results on one kind, before they are judged. `right_at` is in the order of `JUDGED_AT`."""

    person: int
    kind: str
    n: int
    right: int
    right_at: tuple[int, ...]


def counts_of(study: Study) -> list[Counts]:
    """Return the results of each person and kind, without withdrawn controls."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"study": study.pk})
        return [Counts(person, kind, n, right, tuple(at)) for person, kind, n, right, *at in cursor.fetchall()]


def honest_of(counts: Iterable[Counts], left_out: Collection[int] = ()) -> dict[str, Honest]:
    """Return what honest people get right of each kind, from the study's own results if there are enough.

    People who look like random clicking on any kind are left out.

    Args:
        left_out: the keys of other people who are not in good standing, see `not_in_good_standing`.
    """
    there = list(counts)
    clicking = {one.person for one in there if clicks_at_random(one.n, one.right, KINDS[one.kind].honest)}
    good = [one for one in there if one.person not in clicking and one.person not in left_out]
    return {code: _estimated(kind.honest, [one for one in good if one.kind == code]) for code, kind in KINDS.items()}


def _estimated(default: float, counts: Sequence[Counts]) -> Honest:
    """Return the honest rate of one kind from the results of people in good standing.

    1. The share of the median person, with `ENOUGH_PEOPLE` people who have `FIRST_ALARM` results. Up to half of them
       may be careless, and it stays within what honest people reach.
    2. Or the share of all results, with so many people who have a few results each. Careless people lower it, so it
       raises fewer alarms and never more.
    3. Or the default.
    """
    shares = [one.right / one.n for one in counts if one.n >= FIRST_ALARM]
    if len(shares) >= ENOUGH_PEOPLE:
        return Honest(median(shares), len(shares))
    few = [one for one in counts if one.n >= ENOUGH_EACH]
    results = sum(one.n for one in few)
    if len(few) >= ENOUGH_PEOPLE and results >= ENOUGH_RESULTS:
        return Honest(sum(one.right for one in few) / results, len(few), results)
    return Honest(default)


def not_in_good_standing(study: Study) -> set[int]:
    """Return the keys of the people who are suspended or paused in the study."""
    stopped = Q(suspended_at__isnull=False) | Q(paused_at__isnull=False)
    return set(Seat.objects.filter(stopped, study=study).values_list("person", flat=True))


def figures_of(study: Study) -> dict[int, dict[str, ControlFigures]]:
    """Return the figures of each person of the study by kind. The keys are those of `User` and of `kinds.KINDS`."""
    counts = counts_of(study)
    return figures_from(counts, honest_of(counts, not_in_good_standing(study)))


def figures_from(counts: Iterable[Counts], honest: Mapping[str, Honest]) -> dict[int, dict[str, ControlFigures]]:
    """Return the figures of these results by person and kind."""
    found: dict[int, dict[str, ControlFigures]] = {}
    for one in counts:
        reached = {number: right for number, right in zip(JUDGED_AT, one.right_at, strict=True) if number <= one.n}
        low, high = between(one.right, one.n)
        alarm = alarm_of(one.n, one.right, reached, honest[one.kind].rate)
        found.setdefault(one.person, {})[one.kind] = ControlFigures(one.n, one.right, low, high, alarm, reached)
    return found


def alarm_of(n: int, right: int, right_at: Mapping[int, int], honest: float) -> str:
    """Return the alarm of one person and kind, or an empty string.

    1. Under 20 results there is none.
    2. With 20 to 49: random clicking, by two exact binomial tests. The result is too bad for the honest rate, and not
       too good for a coin.
    3. From 50 on: the person is below honest people if the exact interval at the last of 50, 100 and 200 that was
       reached lies below the honest rate. Later results change nothing before the next of these numbers.
    """
    if n < FIRST_ALARM:
        return ""
    if right_at:
        reached = max(right_at)
        return BELOW_HONEST if between(right_at[reached], reached)[1] < honest else ""
    return RANDOM_CLICKING if clicks_at_random(n, right, honest) else ""


def clicks_at_random(n: int, right: int, honest: float) -> bool:
    """Return whether so many right ones are too few for the honest rate, and not too many for a coin."""
    if n < FIRST_ALARM:
        return False
    too_bad = share_between(right, n, 1 - 2 * RARE)[1] < honest
    return too_bad and share_between(right, n, 1 - 2 * PLAUSIBLE)[0] <= COIN


@cache
def between(right: int, n: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a share. The same few numbers come again and again."""
    return share_between(right, n)
