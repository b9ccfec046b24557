"""Measures of agreement, as sums over units, so that they can be added up by cluster and drawn again.

A *unit* is what several people judged: a pair for a preference, a video of a pair for a tag. Its answers are values or
gaps; a gap is a skip, or an answer that is not used. `coded` makes a table of whole numbers from them, and `tally`
counts them. docs/quality.md has the formulae.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diptych.statistics.bootstrap import Numbers, divide

Codes = NDArray[np.int64]
Units = Sequence[Sequence[Hashable | None]]

GAP = -1


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of agreement.

    parts: (units, values) of counts → (units, k): what each unit adds. value: (..., k) of sums → (...), nan where the
    measure is not defined.
    """

    parts: Callable[[Numbers], Numbers]
    value: Callable[[Numbers], Numbers]


def coded(units: Units, values: Sequence[Hashable] | None = None) -> Codes:
    """Return the position of each answer in `values`: (units, most answers of a unit), with -1 for a gap.

    Without `values` these are the values that occur, in their order. Raise ValueError if another value occurs.
    """
    if values is None:
        values = list(dict.fromkeys(value for unit in units for value in unit if value is not None))
    position = {value: number for number, value in enumerate(values)}
    codes = np.full((len(units), max(map(len, units), default=0)), GAP, dtype=np.int64)
    for row, unit in enumerate(units):
        for column, value in enumerate(unit):
            if value is None:
                continue
            if value not in position:
                known = ", ".join(map(str, values))
                raise ValueError(f"The value “{value}” of unit {row} is none of: {known}. Correct it, or make it None.")
            codes[row, column] = position[value]
    return codes


def tally(codes: Codes, values: int) -> Numbers:
    """Return how many answers of each unit have each value: (units, values)."""
    return np.stack([(codes == value).sum(axis=1) for value in range(values)], axis=1).astype(np.float64)


def comparable(counts: Numbers) -> NDArray[np.bool_]:
    """Return which units have at least two answers."""
    return counts.sum(axis=1) >= 2


def _agreeing(counts: Numbers) -> Numbers:
    """Return the share of pairs of answers of each unit that are equal. It is 0 for units with fewer than two."""
    answers = counts.sum(axis=1)
    equal = (counts * (counts - 1)).sum(axis=1)
    return np.nan_to_num(divide(equal, answers * (answers - 1)))


def _percent_parts(counts: Numbers) -> Numbers:
    return np.stack([_agreeing(counts), comparable(counts)], axis=1)


def _percent_value(sums: Numbers) -> Numbers:
    return divide(sums[..., 0], sums[..., 1])


#: The mean over units of the share of equal pairs of answers (Fleiss 1971). Nothing is taken off for chance.
PERCENT = Measure(_percent_parts, _percent_value)


def _coincidences(counts: Numbers) -> Numbers:
    """Return for each unit how often two values meet in it: (units, values²). A unit with m answers adds m in all."""
    answers, values = counts.sum(axis=1), counts.shape[1]
    meeting = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(values)
    weight = np.where(answers >= 2, 1 / np.maximum(answers - 1, 1), 0)
    return (meeting * weight[:, None, None]).reshape(len(counts), values**2)


def _alpha_value(sums: Numbers, distance: Callable[[Numbers], Numbers]) -> Numbers:
    """Return alpha from coincidences. `distance` makes squared distances (..., values, values) from (..., values)."""
    values = round(sums.shape[-1] ** 0.5)
    meeting = sums.reshape(*sums.shape[:-1], values, values)
    totals = meeting.sum(axis=-1)
    squares = distance(totals)
    observed = (meeting * squares).sum(axis=(-2, -1))
    expected = (totals[..., :, None] * totals[..., None, :] * squares).sum(axis=(-2, -1))
    return 1 - divide((totals.sum(axis=-1) - 1) * observed, expected)


def _nominal(totals: Numbers) -> Numbers:
    return np.broadcast_to(1 - np.eye(totals.shape[-1]), (*totals.shape, totals.shape[-1]))


def _ordinal(totals: Numbers) -> Numbers:
    """Return how many answers lie between two values, half of both ends counted, squared."""
    middle = totals.cumsum(axis=-1) - totals / 2
    return (middle[..., :, None] - middle[..., None, :]) ** 2


#: Krippendorff's alpha for values without an order (Krippendorff 2011, “Computing Krippendorff's alpha-reliability”).
ALPHA_NOMINAL = Measure(_coincidences, lambda sums: _alpha_value(sums, _nominal))
#: Krippendorff's alpha for values in order: video 0, tie, video 1.
ALPHA_ORDINAL = Measure(_coincidences, lambda sums: _alpha_value(sums, _ordinal))


def _ac1_parts(counts: Numbers) -> Numbers:
    answers = counts.sum(axis=1, keepdims=True)
    shares = np.nan_to_num(divide(counts, answers))
    return np.concatenate([_percent_parts(counts), answers > 0, shares], axis=1)


def _ac1_value(sums: Numbers) -> Numbers:
    observed = _percent_value(sums[..., :2])
    shares = divide(sums[..., 3:], sums[..., 2:3])
    chance = (shares * (1 - shares)).sum(axis=-1) / (shares.shape[-1] - 1)
    return (observed - chance) / (1 - chance)


#: AC1 (Gwet 2008, “Computing inter-rater reliability and its variance in the presence of high agreement”). Units with
#: one answer count for how common the values are, as in Gwet's own programs. It is 1 where all answers are alike.
AC1 = Measure(_ac1_parts, _ac1_value)


def _positive_parts(counts: Numbers) -> Numbers:
    """For counts of “no” and “yes”: twice the pairs of answers that both say yes, and the yeses of all pairs."""
    no, yes = counts[:, 0], counts[:, 1]
    return np.stack([yes * (yes - 1), yes * (yes + no - 1)], axis=1)


#: 2a / (2a + b + c) of the four counts (Cicchetti and Feinstein 1990, “High agreement but low kappa: II”): if one
#: answer has the tag, how probable it is that another one has it too. Not defined if nobody gave the tag.
POSITIVE = Measure(_positive_parts, _percent_value)
