"""Shares of equal blind answers with their intervals, from weights that the database has summed."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from diptych.statistics.bootstrap import Numbers, intervals
from diptych.statistics.figures import Figure, NotDefined
from diptych.statistics.measures import PERCENT


def figures(summed: Sequence[Sequence[Any]], pairs: int) -> list[Figure]:
    """Return the figure of each row that is compared.

    Args:
        summed: for each cluster of prompts the weight of equal answers on each row, and last the weight of all.
        pairs: how many pairs have two blind answers.
    """
    sums = np.array(summed, dtype=np.float64)
    shares = [partial(_share, place) for place in range(sums.shape[1] - 1)]
    bounds = intervals(sums, shares, seed=0)
    return [
        _figure(float(share(sums.sum(axis=0))), interval, pairs) for share, interval in zip(shares, bounds, strict=True)
    ]


def _figure(share: float, interval: tuple[float, float] | NotDefined, pairs: int) -> Figure:
    """Return the figure of one row. Where no answers differ, drawing again says nothing about how seldom they do."""
    return Figure(share, NotDefined.ALL_ALIKE if share in (0, 1) else interval, pairs, 2 * pairs)


def _share(place: int, sums: Numbers) -> Numbers:
    """Return the weight of equal answers of all weight. sums: (..., rows + 1), the last is the weight of all."""
    return PERCENT.value(sums[..., [place, -1]])
