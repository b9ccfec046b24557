"""Precision–recall curves of a moderation model: one for each tag, beside how often people gave the tag."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.promotion import TagChance

#: Recalls at which a curve has its precision.
RECALLS = np.linspace(0, 1, 41)[1:]

Curves = dict[str, dict[str, Any]]


def of_tags(predictions: Iterable[TagChance]) -> Curves:
    """Return by tag `positives`, `n` and `points`: recall, and the precision there as the mean over the seeds.

    The precision at a recall is that of the highest threshold which reaches it. `points` is empty if no test answer has
    the tag, or all have it.
    """
    found: dict[str, dict[int, list[TagChance]]] = defaultdict(lambda: defaultdict(list))
    for one in predictions:
        found[one.tag][one.seed].append(one)
    return {tag: _curve(list(seeds.values())) for tag, seeds in sorted(found.items())}


def _curve(seeds: Sequence[Sequence[TagChance]]) -> dict[str, Any]:
    positives, n = sum(one.positive for one in seeds[0]), sum(one.n for one in seeds[0])
    points: list[list[float]] = []
    if 0 < positives < n:
        mean = np.mean([_precision(rows) for rows in seeds], 0)
        points = [[round(recall, 3), round(value, 4)] for recall, value in zip(RECALLS.tolist(), mean, strict=True)]
    return {"positives": positives, "n": n, "points": points}


def _precision(rows: Sequence[TagChance]) -> NDArray[np.float64]:
    """Return the precision of one seed at each of `RECALLS`."""
    probability = np.array([one.probability for one in rows])
    order = np.argsort(-probability, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))  # the last of equal probabilities
    true, every = _sums(rows, order, ends)
    at = np.searchsorted(true / true[-1], RECALLS - 1e-9)
    return np.asarray(true[at] / every[at])


def _sums(
    rows: Sequence[TagChance], order: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the answers with the tag, and all answers, down to each probability."""
    positive, n = (np.array([getattr(one, name) for one in rows], float)[order] for name in ("positive", "n"))
    return np.cumsum(positive)[ends], np.cumsum(n)[ends]
