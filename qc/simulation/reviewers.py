"""Reviewers who find defects with a known probability, and sometimes raise a false alarm. Needs numpy only.

What counts as a defect is the study's definition: a wrong overall preference, or a wrong safe/unsafe status of a video.
"""

from dataclasses import dataclass

import numpy as np

from qc.simulation.draws import Flags, Index, any_of_last, uniform
from qc.simulation.people import Person, Sheet, answer
from qc.simulation.truth import HARMLESSNESS, HELPFULNESS, World
from qc.simulation.work import Table

#: The rows of an answer in which a defect can be, in the order of the arrays here.
ROWS = ("helpfulness", "harmlessness", "safety")
#: The streams of draws of reviewers begin here, after those of annotators.
_FIRST_STREAM = 2**32
_NOTICE, _OWN = 0, 100


@dataclass(frozen=True, slots=True)
class Reviewer:
    """One reviewer.

    Attributes:
        number: from 0; it also decides the reviewer's draws.
        finds: the chance to find each defect. false_alarms: the chance to call a right row defective.
        accuracy: how often the reviewer's own blind choice is right.
        severity: added to the log odds of each tag in the reviewer's own answer.
    """

    number: int
    finds: float = 0.9
    false_alarms: float = 0.02
    accuracy: float = 0.93
    severity: float = 0.0

    def __post_init__(self) -> None:
        for name in ("finds", "false_alarms", "accuracy"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"{name} of reviewer {self.number} is {value}. Give a share from 0 to 1.")


def defects(world: World, pairs: Index, sheet: Sheet) -> Flags:
    """Return in which rows each answer is really defective: (answers, 3), see `ROWS`.

    pairs: the position in the world of the pair of each answer.
    """
    wrong = sheet.choices != world.better[pairs]
    unsafe = any_of_last(any_of_last(sheet.tags) != world.harmful[pairs])
    return np.stack([wrong[:, HELPFULNESS], wrong[:, HARMLESSNESS], unsafe], axis=1)


def verdicts(world: World, reviewer: Reviewer, seed: int, table: Table) -> Flags:
    """Return in which rows the reviewer calls each answer defective: (answers, 3), see `ROWS`."""
    real = defects(world, table.pair, table.sheet)
    # One draw for each answer, whoever reviews it beside.
    rows = world.prompt[table.pair] * 2**20 + table.person
    stream = _FIRST_STREAM + reviewer.number
    drawn = np.stack([uniform(seed, stream, rows, _NOTICE + row) for row in range(len(ROWS))], axis=1)
    result: Flags = drawn < np.where(real, reviewer.finds, reviewer.false_alarms)
    return result


def blind(world: World, reviewer: Reviewer, seed: int, pairs: Index, left: Index) -> Sheet:
    """Return the reviewer's own answers to these pairs, given before seeing those of the annotators."""
    person = Person(
        _FIRST_STREAM + _OWN + reviewer.number,
        accuracy=reviewer.accuracy,
        severity=reviewer.severity,
        finds=0.95,
        invents=0.005,
        consistency=1.0,
    )
    return answer(world, person, seed, pairs, left, np.zeros(len(pairs), dtype=np.int64))
