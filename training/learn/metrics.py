"""Figures of predictions on held-out answers, with intervals by bootstrap over clusters of prompts. Needs numpy only.

A figure is a function of sums over clusters, so a draw of clusters is a weighted sum: `draws × clusters` times
`clusters × sums`. Memory does not grow with the number of answers.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

#: Draws of clusters, and how many of them are computed at a time.
DRAWS, AT_A_TIME = 2000, 50
#: With fewer clusters an interval would say more than is known.
LEAST_CLUSTERS = 50
BINS = 10
#: The middle 95 % of the draws.
QUANTILES = (0.025, 0.975)

Function = Callable[[np.ndarray], np.ndarray]


def row(target: str, figure: str, value: float | None, **more: Any) -> dict[str, Any]:
    """Return a row of metrics.json."""
    empty = {
        "part": "test",
        "tag": None,
        "low": None,
        "high": None,
        "n": 0,
        "clusters": 0,
        "baseline": None,
        "note": "",
    }
    rounded = {name: round(one, 6) if isinstance(one, float) else one for name, one in more.items()}
    defined = value is not None and math.isfinite(value)
    return {"target": target, "figure": figure, "value": round(float(value), 6) if defined else None} | empty | rounded  # type: ignore[arg-type]


def sums_by_cluster(values: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Return the sums of (n, sums) over each cluster that occurs: (clusters, sums)."""
    _names, place = np.unique(cluster, return_inverse=True)
    sums = np.zeros((int(place.max()) + 1 if len(place) else 0, values.shape[1]))
    np.add.at(sums, place, values)
    return sums


def interval(sums: np.ndarray, figure: Function, seed: int = 0) -> tuple[float, float | None, float | None, str]:
    """Return a figure, its 95 % interval, and a note if there is none.

    Args:
        sums: (clusters, sums).
        figure: returns (draws,) of the sums of each draw, (draws, sums).
    """
    value = float(figure(sums.sum(0, keepdims=True))[0])
    if len(sums) < LEAST_CLUSTERS:
        return value, None, None, f"not decidable: {len(sums)} of {LEAST_CLUSTERS} clusters"
    random = np.random.default_rng(seed)
    drawn = []
    for _block in range(DRAWS // AT_A_TIME):
        weights = random.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=AT_A_TIME)
        drawn.append(figure(weights @ sums))
    every = np.concatenate(drawn)
    every = every[np.isfinite(every)]
    if not len(every):
        return value, None, None, "not defined in any draw"
    low, high = np.quantile(every, QUANTILES)
    return value, float(low), float(high), ""


def ratio(sums: np.ndarray) -> np.ndarray:
    """Return the first sum by the second one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(sums[:, 0] / sums[:, 1])


def agreement(difference: np.ndarray, choice: np.ndarray, threshold: float) -> np.ndarray:
    """Return how far a score difference agrees with each choice: 1, 0, or ½ for two equal scores.

    Within the threshold the model says that both are equal, which is right only for a tie. With a threshold of 0 it
    never says so.
    """
    if threshold > 0:
        said = np.where(np.abs(difference) < threshold, 2, (difference > 0).astype(int))
        return (said == choice).astype(float)
    right = (difference > 0) == (choice == 1)
    return np.where(choice == 2, 0.0, np.where(difference == 0, 0.5, right.astype(float)))


def best_threshold(difference: np.ndarray, choice: np.ndarray) -> float:
    """Return the threshold below which calling a tie agrees best with these choices; 0 without ties."""
    if not (choice == 2).any():
        return 0.0
    candidates = np.quantile(np.abs(difference), np.linspace(0, 1, 101))
    return float(max(candidates, key=lambda one: agreement(difference, choice, float(one)).mean()))


def calibration_sums(chance: np.ndarray, happened: np.ndarray) -> np.ndarray:
    """Return (n, 3 · bins): in its bin of chances, one answer, its chance, and whether it happened."""
    place = np.minimum((chance * BINS).astype(int), BINS - 1)
    sums = np.zeros((len(chance), 3 * BINS))
    for offset, value in enumerate((np.ones_like(chance), chance, happened)):
        sums[np.arange(len(chance)), offset * BINS + place] = value
    return sums


def calibration_error(sums: np.ndarray) -> np.ndarray:
    """Return the mean distance of chances from shares, each bin by its answers: (draws,) of (draws, 3 · bins)."""
    number, chance, happened = (sums[:, offset * BINS : (offset + 1) * BINS] for offset in range(3))
    return np.asarray(np.abs(chance - happened).sum(1) / np.maximum(number.sum(1), 1e-12))


def average_precision(probability: np.ndarray, positive: np.ndarray, n: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the average precision for each row of weights: (draws,).

    Args:
        probability: (items,) what items are ordered by. Equal ones count as one step.
        positive, n: (items,) answers that gave the tag, and all of them.
        weights: (draws, items) how often each item counts.
    """
    order = np.argsort(-probability, kind="stable")
    ends = np.flatnonzero(np.diff(probability[order], append=-np.inf))
    found = np.cumsum(weights[:, order] * positive[order], 1)[:, ends]
    seen = np.cumsum(weights[:, order] * n[order], 1)[:, ends]
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(seen > 0, found / np.maximum(seen, 1e-12), 0)
        steps = np.diff(found, axis=1, prepend=0)
        return np.asarray((steps * precision).sum(1) / found[:, -1])


def average_precision_interval(
    probability: np.ndarray, positive: np.ndarray, n: np.ndarray, cluster: np.ndarray, seed: int = 0
) -> tuple[float, float | None, float | None, str]:
    """Return the average precision, and its interval as `interval` does."""
    _names, place = np.unique(cluster, return_inverse=True)
    clusters = int(place.max()) + 1
    value = float(average_precision(probability, positive, n, np.ones((1, len(n))))[0])
    if clusters < LEAST_CLUSTERS:
        return value, None, None, f"not decidable: {clusters} of {LEAST_CLUSTERS} clusters"
    random = np.random.default_rng(seed)
    drawn = []
    for _block in range(DRAWS // AT_A_TIME):
        weights = random.multinomial(clusters, np.full(clusters, 1 / clusters), size=AT_A_TIME)
        drawn.append(average_precision(probability, positive, n, weights[:, place]))
    low, high = np.nanquantile(np.concatenate(drawn), QUANTILES)
    return value, float(low), float(high), ""


def confusion_sums(said: np.ndarray, positive: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return (items, 4): true positives, false positives, true negatives and false negatives, in answers."""
    negative = n - positive
    return np.stack([said * positive, said * negative, ~said * negative, ~said * positive], 1).astype(float)


def mcc(sums: np.ndarray) -> np.ndarray:
    """Return Matthews' correlation coefficient: (draws,) of (draws, 4)."""
    tp, fp, tn, fn = sums.T.astype(float)
    below = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(below > 0, (tp * tn - fp * fn) / below, np.nan))


def accuracy(sums: np.ndarray) -> np.ndarray:
    """Return the share of right answers: (draws,) of (draws, 4)."""
    return np.asarray((sums[:, 0] + sums[:, 2]) / np.maximum(sums.sum(1), 1e-12))


def ceiling(two_people: float) -> float:
    """Return the highest agreement with people that two-person agreement of at least ½ allows."""
    return (1 + math.sqrt(2 * two_people - 1)) / 2
