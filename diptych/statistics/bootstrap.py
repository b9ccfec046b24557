"""Intervals by drawing clusters again (Efron 1979; for clusters Field and Welsh 2007, “Bootstrapping clustered data”).

Answers to one prompt resemble each other, and so do answers to prompts with nearly the same text. Whole clusters of
prompts are therefore drawn, and never single pairs. A figure must be made from sums over clusters: each cluster adds
a row of numbers, and a function makes the figure from the sum of the rows.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from diptych.statistics.figures import NotDefined

Numbers = NDArray[np.float64]

#: With fewer clusters an interval by drawing again is too narrow to be shown.
FEWEST_CLUSTERS = 50
#: How many times the clusters are drawn.
REPLICATES = 1000
#: Draws are kept for the next figure if they have at most this many numbers, of one byte each.
MOST_KEPT = 64_000_000
#: How often the figure must be defined among the draws. A figure of one rare event is not, when the event is not drawn.
DEFINED = 0.95


def divide(upper: Numbers, lower: Numbers) -> Numbers:
    """Return the quotient, with nan where nothing is divided by nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(lower > 0, upper / lower, np.nan)


def by_cluster(parts: Numbers, clusters: Sequence[object] | NDArray[np.generic]) -> Numbers:
    """Return the sums of the rows of each cluster.

    parts: (units, k). clusters: one id for each unit. Returns (clusters, k), in the order of the ids. Raise ValueError
    if the lengths differ.
    """
    ids = np.asarray(clusters)
    if len(ids) != len(parts):
        raise ValueError(f"There are {len(parts)} units and {len(ids)} clusters. Give one cluster for each unit.")
    names, index = np.unique(ids, return_inverse=True)
    sums = np.zeros((len(names), parts.shape[1]))
    np.add.at(sums, index, parts)
    return sums


def interval(
    sums: Numbers,
    figure: Callable[[Numbers], Numbers],
    seed: int,
    replicates: int = REPLICATES,
    confidence: float = 0.95,
) -> tuple[float, float] | NotDefined:
    """Return the bounds between which the figure lies in 95 % of draws, or `NOT_ENOUGH`.

    sums: (clusters, k), what each cluster adds. figure: makes (draws,) from (draws, k), with nan where it is not
    defined. The same seed returns the same bounds. It is not enough if there are under 50 clusters, or if the figure
    is not defined in more than 5 % of the draws.
    """
    return intervals(sums, [figure], seed, replicates, confidence)[0]


def intervals(
    sums: Numbers,
    figures: Sequence[Callable[[Numbers], Numbers]],
    seed: int,
    replicates: int = REPLICATES,
    confidence: float = 0.95,
) -> list[tuple[float, float] | NotDefined]:
    """Return what `interval` returns for each figure of the same clusters. The clusters are drawn once for all."""
    clusters = len(sums)
    if clusters < FEWEST_CLUSTERS:
        return [NotDefined.NOT_ENOUGH] * len(figures)
    totals = _totals(sums, seed, replicates)
    return [_bounds(figure(totals), confidence) for figure in figures]


def _bounds(values: Numbers, confidence: float) -> tuple[float, float] | NotDefined:
    """Return the bounds of the values in the draws, where nan stands for not defined."""
    drawn = len(values)
    values = values[~np.isnan(values)]
    if len(values) < DEFINED * drawn:
        return NotDefined.NOT_ENOUGH
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _totals(sums: Numbers, seed: int, replicates: int) -> Numbers:
    """Return the sums over the clusters of each draw: (replicates, k)."""
    clusters = len(sums)
    totals = np.empty((replicates, sums.shape[1]))
    if clusters * replicates > MOST_KEPT:
        for draw, times in enumerate(_drawn(clusters, seed, replicates)):
            totals[draw] = times @ sums
        return totals
    kept, at_once = _kept_draws(clusters, seed, replicates), max(1, 4_000_000 // clusters)
    for first in range(0, replicates, at_once):
        totals[first : first + at_once] = kept[first : first + at_once].astype(np.float64) @ sums
    return totals


def _drawn(clusters: int, seed: int, replicates: int) -> Iterator[NDArray[np.int64]]:
    """Return for each draw how often each cluster is in it."""
    random = np.random.default_rng(seed)
    for _ in range(replicates):
        yield np.bincount(random.integers(0, clusters, clusters), minlength=clusters)


@lru_cache(maxsize=2)
def _kept_draws(clusters: int, seed: int, replicates: int) -> NDArray[np.uint8]:
    """Return all draws: (replicates, clusters). A study has dozens of figures of the same clusters, one after another.

    No cluster is drawn 256 times: the probability of 20 times is below 1e-18.
    """
    times = np.empty((replicates, clusters), dtype=np.uint8)
    for draw, one in enumerate(_drawn(clusters, seed, replicates)):
        times[draw] = one
    return times
