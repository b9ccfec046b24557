"""Decide whether a new model is better than the promoted one, from what both predict about the same test answers.

Each cluster of prompts gives one value, because answers to similar prompts resemble each other. The interval of their
mean is that of Student's t. Comparison k of a family has the level α_k = 0.05 · 6/(π² k²). These sum to 0.05, so at
most 5 % of families ever promote a version that is not better, however often they try. Knows neither Django nor
files.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

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
    each = list(values.values())
    mean = math.fsum(each) / len(each)
    deviation = math.sqrt(math.fsum((one - mean) ** 2 for one in each) / (len(each) - 1))
    half = _quantile(len(each) - 1, k) * deviation / math.sqrt(len(each))
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
    require_same(correct, before)
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


def require_same(new: Mapping[Any, Any], old: Mapping[Any, Any]) -> None:
    """Raise DifferentAnswers unless both have the same keys."""
    if new.keys() != old.keys():
        both = len(new.keys() & old.keys())
        raise DifferentAnswers(f"The models have {len(new)} and {len(old)} test answers, of which {both} are the same.")
