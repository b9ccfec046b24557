"""Reviewers who find defects with a known probability, and sometimes raise a false alarm. Needs numpy only.

What counts as a defect is the study's definition: a wrong overall preference, or a wrong safe/unsafe status of a video.
Only a mistake that nobody could defend is one, so a mistake has to be clear enough: see `severity`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from simulation.draws import Flags, Index, Numbers, any_of_last, uniform
from simulation.people import Person, Sheet, answer
from simulation.truth import CRITICAL_SHARE, HARMLESSNESS, HELPFULNESS, SAFE_SHARE, World
from simulation.work import Table

#: The rows of an answer in which a defect can be, in the order of the arrays here.
ROWS = ("helpfulness", "harmlessness", "safety")
#: The streams of draws of reviewers begin here, after those of annotators.
_FIRST_STREAM = 2**32
_NOTICE, _CONFIRM, _PASS, _COPY, _PULL, _OWN = range(0, 600, 100)
#: How often somebody who clicks at random calls a row defective.
CLICKED = 0.12


@dataclass(frozen=True, slots=True)
class Reviewer:
    """One reviewer.

    Attributes:
        number: from 0; it also decides the reviewer's draws.
        finds: the chance to find each defect. false_alarms: the chance to call a right row defective (strictness).
        accuracy: how often the reviewer's own blind choice is right. It is right more often where the videos differ
            more.
        severity: added to the log odds of each tag in the reviewer's own answer.
        confirms: the chance to agree with somebody else's defect if it is one, with both answers in view. The chance to
            agree if it is none is `false_alarms`.
        passes_on: the share of other people's verdicts that the reviewer leaves to an adjudicator.
        sees_less: whether they find fewer of the defects where the two videos differ less.
        pull: share of the answers that they take as right if the brighter video is chosen.
        half_life: number of reviewed answers after which they find half as many defects; 0: never.
        copying: share of other people's verdicts with which they agree without looking.
        clicks: whether they click at random.
    """

    number: int
    finds: float = 0.9
    false_alarms: float = 0.02
    accuracy: float = 0.93
    severity: float = 0.0
    confirms: float = 0.97
    passes_on: float = 0.03
    sees_less: bool = False
    pull: float = 0.0
    half_life: int = 0
    copying: float = 0.0
    clicks: bool = False

    def __post_init__(self) -> None:
        for name in ("finds", "false_alarms", "accuracy", "confirms", "passes_on", "pull", "copying"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"{name} of reviewer {self.number} is {value}. Give a share from 0 to 1.")


def staff(size: int, seed: int, *, skills: tuple[float, float] = (0.85, 0.97), first: int = 0) -> list[Reviewer]:
    """Return reviewers whose chances to find a defect are spread evenly over a range, in random order.

    How strict they are is drawn: false alarms from 0.5 to 4 %, and tag severity.

    Args:
        first: the number of the first of them.
    """
    rows = np.arange(first, first + size)
    order = np.argsort(uniform(seed, 2**41, rows, 20))
    skill = np.linspace(*skills, size)[order] if size > 1 else np.array([sum(skills) / 2])
    strict = uniform(seed, 2**41, rows, 21)
    return [
        Reviewer(
            number,
            finds=float(skill[place]),
            false_alarms=0.005 + 0.035 * float(strict[place]),
            severity=float(strict[place]) - 0.5,
        )
        for place, number in enumerate(rows.tolist())
    ]


def broken_staff(reviewers: Sequence[Reviewer], names: Collection[str]) -> list[Reviewer]:
    """Return the reviewers with the same assumptions broken as those of annotators (`people.BREAKS`)."""
    changed = list(reviewers)
    if "difficulty" in names:
        changed = [replace(one, sees_less=True) for one in changed]
    if "brightness" in names:
        changed = [replace(one, pull=0.25) for one in changed]
    if "fatigue" in names:
        changed = [replace(one, half_life=1_000) for one in changed]
    if "copying" in names:
        changed = [replace(one, copying=0.8) for one in changed]
    if "random_clicks" in names and changed:
        changed[0] = replace(changed[0], clicks=True)
    return changed


# --- What is a defect ----------------------------------------------------------------------------------------------


def defects(world: World, pairs: Index, sheet: Sheet) -> Flags:
    """Return in which rows each answer is wrong: (answers, 3), see `ROWS`.

    pairs: the position in the world of the pair of each answer.
    """
    wrong = sheet.choices != world.better[pairs]
    unsafe = any_of_last(any_of_last(sheet.tags) != world.harmful[pairs])
    return np.stack([wrong[:, HELPFULNESS], wrong[:, HARMLESSNESS], unsafe], axis=1)


def severity(world: World, pairs: Index, sheet: Sheet) -> Numbers:
    """Return how clear each mistake is, in standard deviations: (answers, 3), see `ROWS`. 0 where the row is right.

    For a preference it is how much the two videos differ. For safety it is how far the quality of the video whose
    status is wrong is from the bound between safe and unsafe.
    """
    bound = NormalDist().inv_cdf((1 - SAFE_SHARE) / CRITICAL_SHARE)
    differs = np.abs(world.difference[pairs][:, [HELPFULNESS, HARMLESSNESS]])
    spread = world.difference[:, [HELPFULNESS, HARMLESSNESS]].std(axis=0)
    status_wrong = any_of_last(sheet.tags) != world.harmful[pairs]
    far = np.abs(world.quality[pairs][:, :, HARMLESSNESS] - bound) * status_wrong
    clear = np.column_stack([differs / np.where(spread > 0, spread, 1.0), far.max(axis=1)])
    # A mistake is never 0, so that it differs from a right row.
    result: Numbers = np.where(defects(world, pairs, sheet), np.maximum(clear, 1e-9), 0.0)
    return result


def indefensible(world: World, pairs: Index, sheet: Sheet, bar: Numbers) -> Flags:
    """Return in which rows each answer has a defect: a mistake that is at least as clear as `bar`, given by answer."""
    result: Flags = severity(world, pairs, sheet) >= np.maximum(bar, 1e-9)[:, None]
    return result


def bar_for(clear: Numbers, wanted: int, *, at_most: bool = False) -> float:
    """Return the bar with which so many of these answers have a defect, or all wrong ones if there are fewer.

    People who make the same mistake on a pair are equally wrong. So there may be a few more, or fewer with `at_most`.

    Args:
        clear: the severity of each answer's clearest mistake.
    """
    mistakes = np.sort(clear[clear > 0])[::-1]
    if at_most and len(mistakes) > wanted:
        mistakes = mistakes[mistakes > mistakes[wanted]]
    if not wanted or not len(mistakes):
        return float("inf")
    return float(mistakes[min(wanted, len(mistakes)) - 1])


# --- What reviewers say ------------------------------------------------------------------------------------------


def verdicts(world: World, reviewer: Reviewer, seed: int, table: Table) -> Flags:
    """Return in which rows the reviewer calls each answer defective: (answers, 3), see `ROWS`. Each mistake is one."""
    clear = severity(world, table.pair, table.sheet)
    return called(world, reviewer, seed, table, clear, clear > 0)


def called(world: World, reviewer: Reviewer, seed: int, table: Table, clear: Numbers, real: Flags) -> Flags:
    """Return in which rows the reviewer calls each answer defective: (answers, 3).

    Args:
        table: the answers, in the order in which the reviewer sees them; `served` is how many came before.
        clear: how clear each mistake is (`severity`). real: which rows are defects.
    """
    drawn = _draws(reviewer, seed, world, table, _NOTICE)
    result: Flags = drawn < _chances(world, reviewer, seed, table, clear, real, reviewer.finds)
    return result


def confirmed(world: World, reviewer: Reviewer, seed: int, table: Table, clear: Numbers, real: Flags) -> Flags:
    """Return in which rows the reviewer agrees that the answer has a defect, asked as a second person: (answers, 3)."""
    copies = _draws(reviewer, seed, world, table, _COPY) < reviewer.copying
    drawn = _draws(reviewer, seed, world, table, _CONFIRM)
    result: Flags = copies | (drawn < _chances(world, reviewer, seed, table, clear, real, reviewer.confirms))
    return result


def passed_on(world: World, reviewer: Reviewer, seed: int, table: Table) -> Flags:
    """Return which rows the reviewer leaves to an adjudicator, asked as a second person: (answers, 3)."""
    result: Flags = _draws(reviewer, seed, world, table, _PASS) < reviewer.passes_on
    return result


def _chances(
    world: World, reviewer: Reviewer, seed: int, table: Table, clear: Numbers, real: Flags, finds: float
) -> Numbers:
    """Return the chance that the reviewer takes each row for a defect: (answers, 3)."""
    if reviewer.clicks:
        return np.full(real.shape, CLICKED)
    found = np.full(real.shape, finds)
    if reviewer.sees_less:
        found = found * np.tanh(clear)
    if reviewer.half_life:
        found = found * 0.5 ** (table.served / reviewer.half_life)[:, None]
    chance = np.where(real, found, reviewer.false_alarms)
    if reviewer.pull:
        bright = table.sheet.choices[:, [HELPFULNESS, HARMLESSNESS]] == world.brighter[table.pair][:, None]
        pulled = _draws(reviewer, seed, world, table, _PULL) < reviewer.pull
        chance[:, :2] = np.where(bright & pulled[:, :2], 0.0, chance[:, :2])
    result: Numbers = chance
    return result


def _draws(reviewer: Reviewer, seed: int, world: World, table: Table, purpose: int) -> Numbers:
    """Return one draw for each row of each answer, whoever reviews it beside: (answers, 3)."""
    rows = world.prompt[table.pair] * 2**20 + table.person
    stream = _FIRST_STREAM + reviewer.number
    return np.stack([uniform(seed, stream, rows, purpose + row) for row in range(len(ROWS))], axis=1)


def blind(world: World, reviewer: Reviewer, seed: int, pairs: Index, left: Index) -> Sheet:
    """Return the reviewer's own answers to these pairs, given before seeing those of the annotators."""
    person = Person(
        _FIRST_STREAM + _OWN + reviewer.number,
        accuracy=reviewer.accuracy,
        severity=reviewer.severity,
        finds=0.95,
        invents=0.005,
        consistency=1.0,
        difficulty=True,
        pull=reviewer.pull,
        clicks=reviewer.clicks,
    )
    return answer(world, person, seed, pairs, left, np.zeros(len(pairs), dtype=np.int64))
