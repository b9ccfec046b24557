"""How tags go together, how preferences go together, and shares with intervals over clusters of prompts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diptych.statistics.bootstrap import Numbers, divide, interval
from diptych.statistics.figures import Figure, NotDefined

Correlation = float | NotDefined
Matrix = list[list[Correlation]]


def of_tags(both: NDArray[np.integer], number: int) -> Matrix:
    """Return the correlation (phi) of each two tags.

    both: (tags, tags), how many of `number` units have both tags; the diagonal has how many have one tag. A tag that no
    unit has, or that all have, goes together with nothing: its correlations are `ALL_ALIKE`.
    """
    counts = np.asarray(both, dtype=np.float64)
    given = np.diag(counts)
    spread = np.sqrt(given * (number - given))
    upper = number * counts - np.outer(given, given)
    return _matrix(divide(upper, np.outer(spread, spread)))


def of_choices(joint: NDArray[np.integer]) -> Matrix:
    """Return the correlation of each two questions over single answers.

    joint: an array with three places a question (video 0, tie, video 1): how many answers gave these choices. Every
    answer counts in both orders of the two videos, so it does not matter which of them is video 0, and a tie counts ½.
    Without ties it is 2 · agreement - 1. A question that all answers call a tie has no correlation: `ALL_ALIKE`.
    """
    values = np.array([-1.0, 0.0, 1.0])  # both orders make the mean 0
    cells = np.argwhere(joint > 0)
    given, weight = values[cells], joint[joint > 0].astype(np.float64)
    products: Numbers = (given * weight[:, None]).T @ given
    spread = np.sqrt(np.diag(products))
    return _matrix(divide(products, np.outer(spread, spread)))


def _matrix(found: Numbers) -> Matrix:
    return [[NotDefined.ALL_ALIKE if np.isnan(value) else float(value) for value in row] for row in found]


def share(sums: Numbers, *, units: int | None = None, seed: int = 0) -> Figure:
    """Return a share with its interval from drawing clusters again.

    sums: (clusters, 2), what each cluster adds to the upper and to the lower part of the share. units: what the share
    is of, if that is not the lower part. Without a lower part there is no share: `NO_OVERLAP`.
    """
    upper, lower = sums.sum(axis=0)
    number = round(float(lower)) if units is None else units
    if not lower:
        return Figure(NotDefined.NO_OVERLAP, NotDefined.NOT_ENOUGH, 0, 0)
    bounds = interval(sums[sums[:, 1] > 0], lambda drawn: divide(drawn[:, 0], drawn[:, 1]), seed)
    return Figure(float(upper / lower), bounds, number, number)


def lower_triangle(names: Sequence[str], matrix: Sequence[Sequence[object]]) -> list[tuple[str, str, object]]:
    """Return each two different names once, with their value: the row comes later than the column."""
    return [(names[row], names[column], matrix[row][column]) for row in range(len(names)) for column in range(row)]
