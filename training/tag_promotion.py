"""The difference of two moderation models: of the mean average precision over tags, with a value for each cluster.

Loads numpy, which only workers need. Knows neither Django nor files.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.promotion import ANY_HARM, FEWEST_CLUSTERS_OF_TAG, TagChance, require_same

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Tag:
    """Predictions of one tag with one seed, sorted from the highest probability.

    positive, negative: (videos,) numbers of answers. cluster: (videos,) places in the list of clusters. ends: (levels,)
    the last place of each run of equal probabilities.
    """

    positive: Numbers
    negative: Numbers
    cluster: NDArray[np.int64]
    ends: NDArray[np.int64]


def tag_values(new: Iterable[TagChance], old: Iterable[TagChance] | None) -> dict[str, float]:
    """Return a value for each cluster whose mean is the difference of mean average precision, new minus old.

    The values are those of the jackknife (Tukey 1958): how far the figure changes without the cluster. The figure is
    the mean over seeds and over tags with enough positives and negatives. Without an old model, the prevalence of each
    tag is subtracted. The result is empty if no tag has enough. Raise DifferentAnswers.

    Takes time in proportion to clusters × videos × tags.
    """
    new = list(new)
    clusters = sorted({one.cluster for one in new})
    place = {name: index for index, name in enumerate(clusters)}
    fresh = _tags(new, place)
    before = None if old is None else _tags(list(old), place, expected=new)
    tags = [tag for tag, seeds in fresh.items() if tag != ANY_HARM and _is_enough(seeds[0])]
    if not tags or len(clusters) < 2:
        return {}
    whole, without = np.zeros(1), np.zeros(len(clusters))
    for tag in tags:
        for sign, seeds in ((1, fresh[tag]), (-1, before[tag] if before else [])):
            for one in seeds:
                share = sign / (len(tags) * len(seeds))
                whole += share * _precision(one, np.array([-1]))
                without += share * _precision(one, np.arange(len(clusters)))
        if before is None:
            whole -= _prevalence(fresh[tag][0], np.array([-1])) / len(tags)
            without -= _prevalence(fresh[tag][0], np.arange(len(clusters))) / len(tags)
    values = len(clusters) * whole - (len(clusters) - 1) * without
    return dict(zip(clusters, values.tolist(), strict=True))


def _tags(
    predictions: Sequence[TagChance], place: Mapping[str, int], expected: Sequence[TagChance] | None = None
) -> dict[str, list[_Tag]]:
    """Return the predictions of each tag, one entry a seed. Raise DifferentAnswers, and ValueError for bad rows."""
    grouped: dict[str, dict[int, list[TagChance]]] = defaultdict(lambda: defaultdict(list))
    for one in predictions:
        if not math.isfinite(one.probability) or not 0 <= one.positive <= one.n:
            raise ValueError(f"T-V pair {one.tv_pair_id} has a probability or a number of answers that cannot be.")
        grouped[one.tag][one.seed].append(one)
    first = {(one.tag, one.tv_pair_id): one.n for one in expected or predictions}
    for tag, seeds in grouped.items():
        for rows in seeds.values():
            mine = {one.tv_pair_id for one in rows}
            if len(mine) != len(rows):
                raise ValueError(f"A T-V pair is listed twice for the tag {tag}.")
    require_same(first, {(one.tag, one.tv_pair_id): one.n for one in predictions})
    return {tag: [_sorted(rows, place) for rows in seeds.values()] for tag, seeds in grouped.items()}


def _sorted(rows: list[TagChance], place: Mapping[str, int]) -> _Tag:
    probability = np.array([one.probability for one in rows])
    order = np.argsort(-probability, kind="stable")
    positive, n = (np.array([getattr(one, name) for one in rows], float)[order] for name in ("positive", "n"))
    cluster = np.array([place[one.cluster] for one in rows])[order]
    ends = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))
    return _Tag(positive, n - positive, cluster, ends)


def _is_enough(one: _Tag) -> bool:
    least = (len(np.unique(one.cluster[each > 0])) for each in (one.positive, one.negative))
    return min(least) >= FEWEST_CLUSTERS_OF_TAG


#: The most numbers in one array.
BLOCK = 4_000_000


def _precision(one: _Tag, left_out: NDArray[np.int64]) -> Numbers:
    """Return the average precision without each of these clusters; −1 leaves none out. (clusters,) → (clusters,)."""
    rows = max(1, BLOCK // len(one.cluster))
    return np.concatenate([_precision_of(one, left_out[at : at + rows]) for at in range(0, len(left_out), rows)])


def _precision_of(one: _Tag, left_out: NDArray[np.int64]) -> Numbers:
    stays = one.cluster[None, :] != left_out[:, None]  # (clusters, videos)
    true = np.cumsum(stays * one.positive, 1)[:, one.ends]  # (clusters, levels)
    all_ = true + np.cumsum(stays * one.negative, 1)[:, one.ends]
    precision = np.divide(true, all_, out=np.zeros_like(true), where=all_ > 0)
    return np.asarray((np.diff(true, axis=1, prepend=0) * precision).sum(1) / true[:, -1])


def _prevalence(one: _Tag, left_out: NDArray[np.int64]) -> Numbers:
    size = int(one.cluster.max()) + 1
    positive, n = (
        np.bincount(one.cluster, weights=weights, minlength=size)
        for weights in (one.positive, one.positive + one.negative)
    )
    gone = np.where(left_out < 0, 0, 1)
    return np.asarray((positive.sum() - gone * positive[left_out]) / (n.sum() - gone * n[left_out]))
