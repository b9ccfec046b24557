"""How far people agree on whole sets of tags, by MASI.

MASI (Passonneau 2006, “Measuring agreement on set-valued items”) gives credit for sets that overlap. It is Jaccard's
share of common tags, times 1 for equal sets, 2/3 if one contains the other, 1/3 if they overlap, and 0 if they have
nothing in common. Two empty sets are equal, and agree completely.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from diptych.statistics.agreement import Clusters, TagSets, given_tags
from diptych.statistics.bootstrap import Numbers, by_cluster, interval
from diptych.statistics.figures import Figure, NotDefined
from diptych.statistics.measures import GAP, PERCENT, Codes

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TagSetAgreement:
    """How far people agree on sets of tags.

    masi: the mean over units. masi_tagged: the same from those pairs of answers only in which either has a tag, since
    two people who see nothing agree easily. alpha: Krippendorff's alpha with the distance 1 - MASI.
    """

    masi: Figure
    masi_tagged: Figure
    alpha: float | NotDefined


def masi(one: Collection[str], other: Collection[str]) -> float:
    """Return the similarity of two sets of tags, from 0 to 1."""
    tags = sorted({*one, *other})
    return float(_similarities(np.array([[tag in one for tag in tags], [tag in other for tag in tags]]))[0, 1])


def tag_set_agreement(
    units: TagSets, tags: Sequence[str], clusters: Clusters | None = None, *, seed: int = 0
) -> TagSetAgreement:
    """Return how far people agree on sets of tags.

    units: for each video of a pair the sets of tags that people gave, empty for “none of these”, or None for a gap.
    clusters: the prompt cluster of each unit. Raise ValueError for an unknown tag.
    """
    given = given_tags(units, tags)
    answered = (given != GAP).any(axis=2) if tags else np.zeros(given.shape[:2], dtype=bool)
    sets, positions = np.unique(given[answered], axis=0, return_inverse=True)
    codes = np.full(given.shape[:2], GAP, dtype=np.int64)
    codes[answered] = positions.reshape(-1)
    return set_figures(codes, sets == 1, clusters, seed=seed)


def set_figures(codes: Codes, sets: Flags, clusters: Clusters | None = None, *, seed: int = 0) -> TagSetAgreement:
    """Return the same from codes: (units, most answers), each the position of a set in `sets`, and -1 in gaps.

    sets: (sets, tags), whether each of the different sets has each tag.
    """
    similarity: Numbers = _similarities(sets)
    tagged = np.any(sets, axis=1)
    pairs = _pairs(codes, similarity, np.ones((len(sets), len(sets))))
    either = _pairs(codes, similarity, (tagged[:, None] | tagged[None, :]).astype(np.float64))
    return TagSetAgreement(
        masi=_figure(pairs, clusters, seed),
        masi_tagged=_figure(either, clusters, seed),
        alpha=_alpha(codes, similarity, pairs),
    )


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The pairs of answers of each unit: how many, the sum of their similarities, and how many answers they are of."""

    number: Numbers
    similar: Numbers
    answers: Numbers


def _similarities(sets: Flags) -> Numbers:
    """Return the similarity of each two sets: (sets, sets) from (sets, tags) of booleans."""
    given = sets.astype(np.float64)
    common, size = given @ given.T, given.sum(axis=1)
    smaller, larger = np.minimum(size[:, None], size[None, :]), np.maximum(size[:, None], size[None, :])
    union = size[:, None] + size[None, :] - common
    jaccard = np.where(union > 0, common / np.maximum(union, 1), 1)
    return jaccard * np.select([common == larger, common == smaller, common > 0], [1, 2 / 3, 1 / 3], 0)


def _pairs(codes: Codes, similarity: Numbers, counted: Numbers) -> _Pairs:
    """Add up the pairs of answers of each unit. `counted` is 1 for sets whose pairs count, and 0 for others."""
    number, similar = np.zeros(len(codes)), np.zeros(len(codes))
    takes_part = np.zeros(codes.shape, dtype=bool)
    for one, other in combinations(range(codes.shape[1]), 2):
        rows = np.flatnonzero((codes[:, one] != GAP) & (codes[:, other] != GAP))
        first, second = codes[rows, one], codes[rows, other]
        weight = counted[first, second]
        number[rows] += weight
        similar[rows] += weight * similarity[first, second]
        takes_part[rows, one] |= weight > 0
        takes_part[rows, other] |= weight > 0
    return _Pairs(number, similar, takes_part.sum(axis=1).astype(np.float64))


def _figure(pairs: _Pairs, clusters: Clusters | None, seed: int) -> Figure:
    """Return the mean over units of the mean similarity of their pairs."""
    compared = pairs.number > 0
    parts = np.stack([np.where(compared, pairs.similar / np.maximum(pairs.number, 1), 0), compared], axis=1)
    bounds: tuple[float, float] | NotDefined = NotDefined.NOT_ENOUGH
    if clusters is not None:
        sums = by_cluster(parts, clusters)
        bounds = interval(sums[sums[:, 1] > 0], PERCENT.value, seed)
    total = parts.sum(axis=0)
    value = float(total[0] / total[1]) if total[1] else NotDefined.NO_OVERLAP
    return Figure(value, bounds, int(total[1]), int(pairs.answers.sum()))


def _alpha(codes: Codes, similarity: Numbers, pairs: _Pairs) -> float | NotDefined:
    """Return 1 less the observed distance over the expected one, as Krippendorff defines it for any distance."""
    compared = pairs.number > 0
    if not compared.any():
        return NotDefined.NO_OVERLAP
    used = codes[compared]
    totals = np.bincount(used[used != GAP], minlength=len(similarity)).astype(np.float64)
    expected = totals @ (1 - similarity) @ totals
    if expected <= 0:
        return NotDefined.ALL_ALIKE
    distances = 2 * (pairs.number - pairs.similar)[compared] / (pairs.answers[compared] - 1)
    return float(1 - (totals.sum() - 1) * distances.sum() / expected)
