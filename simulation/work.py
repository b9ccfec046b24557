"""Who answers which pair, without a database: the same answers as through serving, for simulations of many sizes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulation.draws import Flags, Index, uniform
from simulation.people import Person, Sheet, answer, copied
from simulation.truth import World


@dataclass(frozen=True, eq=False)
class Table:
    """Answers of many people, one row each.

    Attributes:
        pair: position of the pair in the world. person: number of the person. left: number of the video on the left.
        served: how many pairs the person had answered before.
        sheet: the answers.
    """

    pair: Index
    person: Index
    left: Index
    served: Index
    sheet: Sheet

    def __len__(self) -> int:
        return len(self.pair)

    def of(self, number: int) -> "Table":
        """Return the rows of one person."""
        return self.at(np.flatnonzero(self.person == number))

    def at(self, rows: Index) -> "Table":
        """Return some rows."""
        return Table(self.pair[rows], self.person[rows], self.left[rows], self.served[rows], rows_of(self.sheet, rows))

    def right(self, world: World) -> Flags:
        """Return whether each choice is the better video: (rows, 6)."""
        result: Flags = self.sheet.choices == world.better[self.pair]
        return result


def rows_of(sheet: Sheet, rows: Index) -> Sheet:
    return Sheet(
        sheet.choices[rows], sheet.tags[rows], sheet.seconds[rows], sheet.fast[rows], sheet.careless[rows],
        sheet.unsure[rows],
    )  # fmt: skip


def joined(sheets: Sequence[Sheet]) -> Sheet:
    """Return the rows of all sheets in one."""
    return Sheet(
        np.concatenate([sheet.choices for sheet in sheets]),
        np.concatenate([sheet.tags for sheet in sheets]),
        np.concatenate([sheet.seconds for sheet in sheets]),
        np.concatenate([sheet.fast for sheet in sheets]),
        np.concatenate([sheet.careless for sheet in sheets]),
        np.concatenate([sheet.unsure for sheet in sheets]),
    )


def places(pairs: int, people: int, overlap: int, seed: int) -> tuple[Index, Index, Index]:
    """Return who answers which pair, in the order of answering: pair, person and the video on the left.

    Everybody answers about equally many pairs, with changing colleagues. Sides are balanced within each pair and each
    person. Raise ValueError if fewer people are there than answers are wanted for a pair.
    """
    if overlap > people:
        raise ValueError(
            f"{overlap} people are to answer each pair, and there are {people}. Add people, or ask for less overlap."
        )
    chosen = np.empty((pairs, overlap), dtype=np.int64)
    luck = np.stack([uniform(seed, 2**42, np.arange(pairs), person) for person in range(people)], axis=1)
    done = np.zeros(people)
    for pair in range(pairs):
        chosen[pair] = np.argpartition(done + luck[pair], overlap - 1)[:overlap]
        chosen[pair] = chosen[pair][np.argsort(luck[pair][chosen[pair]])]
        done[chosen[pair]] += 1
    return np.repeat(np.arange(pairs), overlap), chosen.ravel(), _sides(chosen, people)


def _sides(chosen: Index, people: int) -> Index:
    """Return the video on the left for each place: the one that was there less often for this pair, then person."""
    left = np.empty(chosen.shape, dtype=np.int64)
    balance = [0] * people  # how often video 1 was on the left, less how often video 0 was
    for pair, members in enumerate(chosen.tolist()):
        here = 0
        for place, person in enumerate(members):
            uneven = here or balance[person] or (1 if (pair + person) % 2 else -1)
            side = int(uneven < 0)
            here, balance[person] = here + 2 * side - 1, balance[person] + 2 * side - 1
            left[pair, place] = side
    return left.ravel()


def ordinals(person: Index, people: int) -> Index:
    """Return how many rows of the same person come before each row."""
    served = np.empty(len(person), dtype=np.int64)
    for number in range(people):
        mine = np.flatnonzero(person == number)
        served[mine] = np.arange(len(mine))
    return served


def work_through(world: World, people: Sequence[Person], seed: int, overlap: int) -> Table:
    """Return the answers of a study in which each pair gets `overlap` answers.

    People who copy do so where a colleague answered the same pair before them.
    """
    pair, person, left = places(len(world), len(people), overlap, seed)
    served = ordinals(person, len(people))
    sheet = answers(world, people, seed, pair, person, left, served)
    return Table(pair, person, left, served, sheet)


def answers(
    world: World, people: Sequence[Person], seed: int, pair: Index, person: Index, left: Index, served: Index
) -> Sheet:
    """Return the answers at these places, which are in the order of answering."""
    sheets, rows = [], []
    for one in people:
        mine = np.flatnonzero(person == one.number)
        rows.append(mine)
        sheets.append(answer(world, one, seed, pair[mine], left[mine], served[mine]))
    sheet = rows_of(joined(sheets), np.argsort(np.concatenate(rows), kind="stable"))
    for one in people:
        if not one.copies:
            continue
        mine, source = _copyable(pair, person, one)
        changed = copied(one, seed, world, pair[mine], rows_of(sheet, mine), rows_of(sheet, source))
        sheet.choices[mine], sheet.tags[mine] = changed.choices, changed.tags
    return sheet


def _copyable(pair: Index, person: Index, one: Person) -> tuple[Index, Index]:
    """Return the rows of a person who copies, and the row that each is copied from: the first one of a colleague.

    That first one was never copied itself, because no colleague came before.
    """
    mine, theirs = np.flatnonzero(person == one.number), np.flatnonzero(np.isin(person, one.copies))
    pairs, first = np.unique(pair[theirs], return_index=True)
    _, own, found = np.intersect1d(pair[mine], pairs, return_indices=True)
    source = theirs[first[found]]
    before = source < mine[own]
    return mine[own][before], source[before]
