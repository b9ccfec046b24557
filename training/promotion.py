"""Decide whether a new model is better than the promoted one, from what both predict about the same test answers.

Each cluster of prompts gives one value, because answers to similar prompts resemble each other. The interval of their
mean is that of Student's t. Comparison k of a family has the level α_k = 0.05 · 6/(π² k²). These sum to 0.05, so at
most 5 % of families ever promote a version that is not better, however often they try. Knows neither Django nor
files.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
#: With fewer clusters nothing is decided.
FEWEST_CLUSTERS = 50
#: A version that is worse by less than this counts as not worse: half a percentage point.
MARGIN = 0.005
#: Chance of a wrong decision over all comparisons of a family.
LEVEL = 0.05
#: A tag takes part if its positives, and its negatives, are in at least this many clusters.
FEWEST_CLUSTERS_OF_TAG = 5
#: "Any harm" repeats the other tags, so the mean over tags leaves it out.
ANY_HARM = "any_harm"
CHANCE = 0.5


class Verdict(StrEnum):
    BETTER = "better"
    NOT_WORSE = "not_worse"
    WORSE = "worse"
    UNDECIDED = "undecided"
    NOT_DECIDABLE = "not_decidable"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one comparison showed. `difference`, `low` and `high` are None if it was not decidable.

    Differences are shares from −1 to 1: of correctly predicted answers, or of average precision.
    """

    verdict: Verdict
    k: int
    clusters: int
    difference: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reward model predicted about one answer with one seed. `choice` is video_0, video_1 or tie."""

    target: str
    annotation_id: int
    cluster: str
    choice: str
    score_0: float
    score_1: float
    seed: int


@dataclass(frozen=True, slots=True)
class TagChance:
    """What a moderation model predicted about one tag of one T-V pair with one seed.

    positive: how many of the `n` answers on the T-V pair have the tag.
    """

    tag: str
    tv_pair_id: str
    cluster: str
    positive: int
    n: int
    probability: float
    seed: int


class DifferentAnswers(ValueError):
    """The two models were not scored against the same test answers."""


def level(k: int) -> float:
    """Return α_k, the chance of a wrong decision of comparison `k` of a family. `k` counts from 1."""
    return LEVEL * 6 / (math.pi**2 * k**2)


def compare(values: Mapping[str, float], k: int) -> Comparison:
    """Return what comparison `k` of a family shows. `values` has the mean difference of each cluster."""
    if len(values) < FEWEST_CLUSTERS:
        return Comparison(Verdict.NOT_DECIDABLE, k, len(values))
    each = np.fromiter(values.values(), float)
    mean = float(each.mean())
    half = _quantile(len(each) - 1, k) * float(each.std(ddof=1)) / math.sqrt(len(each))
    low, high = mean - half, mean + half
    return Comparison(_verdict(low, high), k, len(each), mean, low, high)


def _verdict(low: float, high: float) -> Verdict:
    if low > 0:
        return Verdict.BETTER
    if low > -MARGIN:
        return Verdict.NOT_WORSE
    return Verdict.WORSE if high < 0 else Verdict.UNDECIDED


@lru_cache(maxsize=1024)
def _quantile(degrees: int, k: int) -> float:
    from scipy.stats import t  # of 40 MB, and only jobs compare

    return float(t.ppf(1 - level(k) / 2, degrees))


def choice_values(new: Iterable[Choice], old: Iterable[Choice] | None) -> dict[str, float]:
    """Return for each cluster the mean difference of correctness of two reward models: new minus old.

    Without an old model the difference is to ½. Correctness is 1, 0, or ½ if both scores are equal, and the mean over
    the seeds of a model. Answers that are ties are left out: both models would get ½ for them. All targets of a model
    count alike. Raise DifferentAnswers.
    """
    correct, cluster = _correctness(new)
    before = dict.fromkeys(correct, CHANCE) if old is None else _correctness(old)[0]
    _require_same(correct, before)
    differences = defaultdict(list)
    for key, value in correct.items():
        differences[cluster[key]].append(value - before[key])
    return {name: math.fsum(each) / len(each) for name, each in sorted(differences.items())}


def _correctness(predictions: Iterable[Choice]) -> tuple[dict[tuple[str, int], float], dict[tuple[str, int], str]]:
    """Return by target and answer the mean correctness over seeds, and the cluster."""
    by_seed: dict[tuple[str, int], dict[int, float]] = defaultdict(dict)
    cluster = {}
    for one in predictions:
        key = (one.target, one.annotation_id)
        difference = one.score_1 - one.score_0
        if not math.isfinite(difference) or one.seed in by_seed[key]:
            raise ValueError(f"Answer {one.annotation_id} has a score that is not finite, or is listed twice.")
        chosen = {"video_0": -1, "video_1": 1, "tie": 0}[one.choice]
        by_seed[key][one.seed] = 0.5 + 0.5 * chosen * math.copysign(difference != 0, difference)
        cluster[key] = one.cluster
        if not chosen:
            by_seed.pop(key)
    return {key: math.fsum(each.values()) / len(each) for key, each in by_seed.items()}, cluster


def _require_same(new: Mapping[Any, Any], old: Mapping[Any, Any]) -> None:
    if new.keys() != old.keys():
        both = len(new.keys() & old.keys())
        raise DifferentAnswers(f"The models have {len(new)} and {len(old)} test answers, of which {both} are the same.")


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
    _require_same(first, {(one.tag, one.tv_pair_id): one.n for one in predictions})
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
