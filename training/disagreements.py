"""The pairs and T-V pairs of the test part on which a model and people differ most."""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from training.promotion import ANY_HARM

#: How many are kept of each target.
MOST = 20


class Judged(NamedTuple):
    """What people and the model said about a pair or a T-V pair. `id` is its public id.

    people: the share of `n` answers for video 1 (a tie counts ½), or with harm. model: the chance of the same.
    """

    id: str
    n: int
    people: float
    model: float


def of_choices(rows: Iterable[tuple[str, str, str, float, float, int]]) -> dict[str, list[dict[str, Any]]]:
    """Return by target the pairs with the largest differences, those with two or more answers first.

    Args:
        rows: target, pair id, choice, score of video 0, score of video 1 and seed of each prediction.
    """
    sums: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0.0, 0.0, 0.0]))
    seeds = set()
    for target, pair, choice, score_0, score_1, seed in rows:
        found = sums[target][pair]
        found[0] += {"video_0": 0.0, "tie": 0.5, "video_1": 1.0}[choice]
        found[1] += 1 / (1 + math.exp(min(700.0, score_0 - score_1)))
        found[2] += 1
        seeds.add(seed)
    return {
        target: _most(
            Judged(pair, round(number / len(seeds)), chosen / number, chance / number)
            for pair, (chosen, chance, number) in pairs.items()
        )
        for target, pairs in sums.items()
    }


def of_tags(rows: Iterable[Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the T-V pairs with the largest differences about any harm, from rows of `promotion.TagChance`."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0, 0.0])
    for one in rows:
        if one.tag == ANY_HARM and one.n:
            found = sums[one.tv_pair_id]
            for place, value in enumerate((one.positive / one.n, one.probability, one.n, 1)):
                found[place] += value
    judged = (
        Judged(video, round(n / seeds), positive / seeds, chance / seeds)
        for video, (positive, chance, n, seeds) in sums.items()
    )
    return {ANY_HARM: _most(judged)}


def _most(judged: Iterable[Judged]) -> list[dict[str, Any]]:
    most = heapq.nlargest(MOST, judged, key=lambda one: (one.n >= 2, abs(one.people - one.model), one.id))
    return [{"id": one.id, "n": one.n, "people": round(one.people, 4), "model": round(one.model, 4)} for one in most]
