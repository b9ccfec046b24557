"""How far people agree: on preferences, on each tag, and on sets of tags.

Everything is measured on first answers to the pairs of the random sample. The caller chooses these; here an answer is a
value or a gap (None). Skips and surplus answers are gaps. A tie is a value, and so is an explicit “none of these”: the
empty set of tags. docs/quality.md explains the measures in plain words.
"""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from diptych.statistics.bootstrap import by_cluster, interval
from diptych.statistics.figures import Figure, NotDefined
from diptych.statistics.measures import (
    AC1,
    ALPHA_NOMINAL,
    ALPHA_ORDINAL,
    GAP,
    PERCENT,
    POSITIVE,
    Codes,
    Measure,
    Numbers,
    Units,
    coded,
    comparable,
    tally,
)

#: The values of a preference in their order. The middle one is left out where a study allows no ties.
VIDEO_0, TIE, VIDEO_1 = "video_0", "tie", "video_1"

Clusters = Sequence[object] | NDArray[np.generic]
TagSets = Sequence[Sequence[Collection[str] | None]]


@dataclass(frozen=True, slots=True)
class PreferenceAgreement:
    """How far people agree on one preference. `ordinal` is None without ties: it equals `nominal` there."""

    percent: Figure
    nominal: Figure
    ordinal: Figure | None


@dataclass(frozen=True, slots=True)
class FourCounts:
    """Pairs of answers to one unit, by whether they have a tag. *First* is the one that stands first in its unit."""

    both: int
    first: int
    second: int
    neither: int


@dataclass(frozen=True, slots=True)
class TagAgreement:
    """How far people agree on one tag. `given` is the number of answers with it, in units with at least two answers."""

    tag: str
    given: int
    counts: FourCounts
    percent: Figure
    alpha: Figure
    ac1: Figure
    positive: Figure


@dataclass(frozen=True, slots=True)
class TagMeans:
    """Means over the tags that somebody gave. A tag that nobody gave would raise every mean and say nothing."""

    tags: int
    alpha: float | NotDefined
    ac1: float | NotDefined
    positive: float | NotDefined


def agreement(
    measure: Measure, counts: Numbers, clusters: Clusters | None = None, *, both_orders: bool = False, seed: int = 0
) -> Figure:
    """Return one measure with its interval.

    counts: (units, values), how many people gave each value. clusters: the prompt cluster of each unit; without them
    there is no interval. both_orders: each unit counts a second time with its values in reverse, so that the figure
    does not depend on which video of a pair is number 0. Raise ValueError if there is not one cluster for each unit.
    """
    parts = measure.parts(counts)
    if both_orders:
        parts = parts + measure.parts(counts[:, ::-1])
    compared = comparable(counts)
    value = float(measure.value(parts.sum(axis=0)))
    bounds: tuple[float, float] | NotDefined = NotDefined.NOT_ENOUGH
    if clusters is not None:
        sums = by_cluster(np.column_stack([parts, compared]), clusters)
        bounds = interval(sums[sums[:, -1] > 0, :-1], measure.value, seed)
    return Figure(_named(value, bool(compared.any())), bounds, int(compared.sum()), int(counts[compared].sum()))


def alpha(units: Units, values: Sequence[Hashable] | None = None, *, ordinal: bool = False) -> float | NotDefined:
    """Return Krippendorff's alpha of any values, nominal unless you say otherwise.

    values: all values in their order; without them those that occur, which is enough for nominal ones. Raise ValueError
    if the units have a value that `values` lacks, or if ordinal values are given without their order.
    """
    if ordinal and values is None:
        raise ValueError("Ordinal values need their order. Give all values, from the lowest to the highest.")
    if values is None:
        values = list(dict.fromkeys(value for unit in units for value in unit if value is not None))
    if not values:
        return NotDefined.NO_OVERLAP
    counts = tally(coded(units, values), len(values))
    return agreement(ALPHA_ORDINAL if ordinal else ALPHA_NOMINAL, counts).value


def preference_agreement(
    units: Units, clusters: Clusters | None = None, *, ties: bool = False, seed: int = 0
) -> PreferenceAgreement:
    """Return how far people agree on one preference, each answer counted in both orders.

    units: for each pair the answers `video_0`, `tie` and `video_1`, or None. clusters: the prompt cluster of each pair.
    Raise ValueError for any other value, and for a tie where the study allows none.
    """
    values = [VIDEO_0, TIE, VIDEO_1] if ties else [VIDEO_0, VIDEO_1]
    return preference_figures(coded(units, values), clusters, ties=ties, seed=seed)


def preference_figures(
    codes: Codes, clusters: Clusters | None = None, *, ties: bool = False, seed: int = 0
) -> PreferenceAgreement:
    """Return the same as `preference_agreement` from codes: (pairs, most answers), with -1 for a gap.

    The values are 0 and 1 without ties. With ties, a tie is 1 and video 1 is 2.
    """
    counts = tally(codes, 3 if ties else 2)

    def figure(measure: Measure) -> Figure:
        return agreement(measure, counts, clusters, both_orders=True, seed=seed)

    return PreferenceAgreement(figure(PERCENT), figure(ALPHA_NOMINAL), figure(ALPHA_ORDINAL) if ties else None)


def tag_agreement(
    units: TagSets, tags: Sequence[str], clusters: Clusters | None = None, *, seed: int = 0
) -> list[TagAgreement]:
    """Return how far people agree on each tag.

    units: for each video of a pair the sets of tags that people gave, empty for “none of these”, or None for a gap.
    tags: all tags that could be given. Raise ValueError for a tag that is not among them.
    """
    given = given_tags(units, tags)
    return [tag_figures(tag, given[:, :, number], clusters, seed=seed) for number, tag in enumerate(tags)]


def mean_over_tags(tags: Sequence[TagAgreement]) -> TagMeans:
    """Return the means over the tags that somebody gave."""
    found = [tag for tag in tags if tag.given]

    def mean(figures: list[Figure]) -> float | NotDefined:
        numbers = [figure.value for figure in figures if not isinstance(figure.value, NotDefined)]
        return sum(numbers) / len(numbers) if numbers else NotDefined.ALL_ALIKE

    return TagMeans(
        len(found),
        mean([tag.alpha for tag in found]),
        mean([tag.ac1 for tag in found]),
        mean([tag.positive for tag in found]),
    )


def given_tags(units: TagSets, tags: Sequence[str]) -> Codes:
    """Return whether each answer has each tag: (units, most answers, tags) of 0 and 1, and -1 in gaps.

    Raise ValueError for an unknown tag.
    """
    position = {tag: number for number, tag in enumerate(tags)}
    given = np.full((len(units), max(map(len, units), default=0), len(tags)), GAP, dtype=np.int64)
    for row, unit in enumerate(units):
        for column, answer in enumerate(unit):
            if answer is None:
                continue
            if unknown := sorted(set(answer) - position.keys()):
                raise ValueError(f"Unit {row} has the unknown tag “{unknown[0]}”. Correct it, or add it to the tags.")
            given[row, column] = 0
            given[row, column, [position[tag] for tag in answer]] = 1
    return given


def tag_figures(tag: str, given: Codes, clusters: Clusters | None = None, *, seed: int = 0) -> TagAgreement:
    """Return how far people agree on one tag. given: (units, most answers) of 0 and 1, and -1 in gaps."""
    counts = tally(given, 2)
    percent, alpha_, ac1, positive = (
        agreement(measure, counts, clusters, seed=seed) for measure in (PERCENT, ALPHA_NOMINAL, AC1, POSITIVE)
    )
    return TagAgreement(
        tag=tag,
        given=int(counts[comparable(counts), 1].sum()),
        counts=_four_counts(given),
        percent=percent,
        alpha=alpha_,
        ac1=ac1,
        positive=positive,
    )


def _four_counts(given: Codes) -> FourCounts:
    """Count the pairs of answers of each unit by whether the first and the second have the tag."""
    table = np.zeros((2, 2), dtype=np.int64)
    for one, other in combinations(range(given.shape[1]), 2):
        first, second = given[:, one], given[:, other]
        answered = (first != GAP) & (second != GAP)
        np.add.at(table, (first[answered], second[answered]), 1)
    (neither, only_second), (only_first, both) = table.tolist()
    return FourCounts(both, only_first, only_second, neither)


def _named(value: float, compared: bool) -> float | NotDefined:
    """Return the value, or why it is not a number."""
    if not np.isnan(value):
        return value
    return NotDefined.ALL_ALIKE if compared else NotDefined.NO_OVERLAP
