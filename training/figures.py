"""Figures of a version that its files do not have: how far predicted shares are those that people gave."""

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from training.promotion import ANY_HARM, Choice, TagChance

#: Equally wide ranges of the predicted share.
BINS = 10

Reliability = dict[str, list[dict[str, Any]]]


def of_choices(predictions: Iterable[Choice]) -> Reliability:
    """Return by target, for each range of the predicted chance that video 1 is chosen, how often people chose it.

    The chance is σ(score of video 1 − score of video 0). Ties of people are left out.
    """
    sums = _Sums()
    for one in predictions:
        if one.choice != "tie":
            chance = 1 / (1 + math.exp(min(700.0, one.score_0 - one.score_1)))
            sums.add(one.target, one.seed, chance, one.choice == "video_1", 1)
    return sums.by_key()


def of_tags(predictions: Iterable[TagChance]) -> Reliability:
    """Return for each range of the predicted chance of any harm how often people gave a harm tag."""
    sums = _Sums()
    for one in predictions:
        if one.tag == ANY_HARM:
            sums.add(one.tag, one.seed, one.probability, one.positive, one.n)
    return sums.by_key()


class _Sums:
    """Sums by key and range. Every seed of a model counts, and `n` is that of one seed."""

    def __init__(self) -> None:
        self.sums: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0.0, 0.0, 0.0]))
        self.seeds: dict[str, set[int]] = defaultdict(set)

    def add(self, key: str, seed: int, chance: float, positive: float, n: float) -> None:
        found = self.sums[key][min(int(chance * BINS), BINS - 1)]
        for place, value in enumerate((chance * n, positive, n)):
            found[place] += value
        self.seeds[key].add(seed)

    def by_key(self) -> Reliability:
        return {
            key: [
                {"predicted": chance / n, "observed": positive / n, "n": round(n / len(self.seeds[key]))}
                for _bin, (chance, positive, n) in sorted(bins.items())
                if n
            ]
            for key, bins in self.sums.items()
        }
