"""Intervals by drawing clusters again."""

import numpy as np
import pytest

from diptych.statistics.agreement import VIDEO_0, VIDEO_1, agreement, preference_agreement, tag_agreement
from diptych.statistics.bootstrap import by_cluster, interval, intervals
from diptych.statistics.figures import NotDefined
from diptych.statistics.measures import ALPHA_NOMINAL, PERCENT


def clustered(random, clusters, size=4):
    """Return counts of two answers a unit, and clusters in which units resemble each other. Agreement is 0.7."""
    agreeing = np.repeat(random.beta(3.5, 1.5, clusters), size)
    same = random.random(clusters * size) < agreeing
    first = random.integers(0, 2, clusters * size)
    counts = np.zeros((clusters * size, 2))
    np.add.at(counts, (np.arange(len(first)), first), 1)
    np.add.at(counts, (np.arange(len(first)), np.where(same, first, 1 - first)), 1)
    return counts, np.repeat(np.arange(clusters), size)


def test_under_50_clusters_are_not_enough():
    random = np.random.default_rng(1)
    assert agreement(PERCENT, *clustered(random, 49)).interval is NotDefined.NOT_ENOUGH
    assert agreement(PERCENT, *clustered(random, 50)).interval is not NotDefined.NOT_ENOUGH


def test_clusters_without_a_unit_of_two_answers_do_not_count():
    units = [[VIDEO_0, VIDEO_1]] * 49 + [[VIDEO_0]] * 10
    assert preference_agreement(units, range(59)).nominal.interval is NotDefined.NOT_ENOUGH


def test_the_seed_decides_and_the_order_of_units_does_not():
    counts, clusters = clustered(np.random.default_rng(2), 60)
    once = agreement(ALPHA_NOMINAL, counts, clusters, seed=7).interval
    order = np.random.default_rng(3).permutation(len(counts))
    assert agreement(ALPHA_NOMINAL, counts[order], clusters[order], seed=7).interval == pytest.approx(once)
    assert agreement(ALPHA_NOMINAL, counts, clusters, seed=8).interval != once


def test_a_figure_of_one_rare_event_has_no_interval():
    units = [[["crime"], ["crime"]]] + [[[], []]] * 99
    found = tag_agreement(units, ["crime"], range(100))[0]
    assert found.alpha.value == found.positive.value == 1
    assert found.alpha.interval is found.positive.interval is NotDefined.NOT_ENOUGH
    assert found.percent.interval == (1, 1)


def test_clusters_are_added_up():
    sums = by_cluster(np.array([[1.0, 2], [3, 4], [5, 6]]), ["b", "a", "b"])
    assert sums.tolist() == [[3, 4], [6, 8]]
    with pytest.raises(ValueError, match="3 units and 1 clusters"):
        by_cluster(np.zeros((3, 1)), ["a"])


def test_the_spread_of_a_mean_is_that_of_theory():
    random = np.random.default_rng(4)
    values = random.normal(10, 2, 400)
    sums = np.stack([values, np.ones(400)], axis=1)
    low, high = interval(sums, lambda total: total[:, 0] / total[:, 1], seed=1)
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.1)


def test_several_figures_of_the_same_draws_have_the_bounds_that_each_has_alone():
    sums = np.random.default_rng(5).random((60, 3))
    figures = [lambda total, column=column: total[:, column] / total[:, 2] for column in (0, 1)]
    assert intervals(sums, figures, seed=3) == [interval(sums, figure, seed=3) for figure in figures]
    assert intervals(sums[:49], figures, seed=3) == [NotDefined.NOT_ENOUGH] * 2


@pytest.mark.long
def test_the_interval_of_an_agreement_holds_where_clusters_resemble_each_other():
    hits = 0
    for seed in range(400):
        low, high = agreement(PERCENT, *clustered(np.random.default_rng(seed), 80), seed=seed).interval
        hits += low <= 0.7 <= high
    assert hits >= 0.91 * 400
