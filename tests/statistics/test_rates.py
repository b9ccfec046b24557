"""Rates of defects: intervals by exact sums, lost answers, and rates pooled over accepted lots."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from diptych.statistics.acceptance import plan
from diptych.statistics.hypergeometric import BadNumbers, probabilities
from diptych.statistics.rates import Sample, defects_between, lot_rate, pooled, released_rate, share_between

SIZES = [100, 200, 500, 1000]


@pytest.mark.long
@pytest.mark.parametrize("size", SIZES)
def test_the_interval_contains_every_number_of_defects_in_95_percent(size):
    drawn = plan(size).sample
    intervals = [defects_between(size, drawn, found) for found in range(drawn + 1)]
    coverage = [
        sum(
            share
            for found, share in probabilities(size, defects, drawn).items()
            if intervals[found][0] <= defects <= intervals[found][1]
        )
        for defects in range(size + 1)
    ]
    least = {100: 0.9566, 200: 0.9519, 500: 0.9509, 1000: 0.9505}[size]
    assert min(coverage) == pytest.approx(least, abs=5e-5)
    assert min(coverage) >= 0.9505


@pytest.mark.long
def test_two_thousand_draws_go_the_same_way():
    random, size, defects = np.random.default_rng(5), 200, 12
    drawn = plan(size).sample
    hits = 0
    for found in random.hypergeometric(defects, size - defects, drawn, 2000).tolist():
        rate = released_rate(Sample(size, drawn, found))
        hits += rate.low <= defects - found <= rate.high
    assert hits / 2000 >= 0.94


@st.composite
def samples(draw):
    size = draw(st.integers(1, 150))
    drawn = draw(st.integers(0, size))
    defects = draw(st.integers(0, drawn))
    return Sample(size, drawn, defects, draw(st.integers(0, drawn - defects)))


@pytest.mark.long
@given(samples())
def test_bounds_are_possible_and_hold_the_estimate(sample):
    lot = lot_rate(sample)
    assert sample.defects <= lot.low <= lot.high <= sample.size - sample.drawn + sample.defects + sample.lost
    assert (lot.estimate is None) == (sample.judged == 0)
    if lot.estimate is not None:
        assert lot.low - 1e-9 <= lot.estimate <= lot.high + 1e-9
    released = released_rate(sample)
    assert (released.low, released.high) == (lot.low - sample.defects, lot.high - sample.defects)
    assert released.size == sample.size - sample.defects
    assert (released.shares is None) == (released.size == 0)


@pytest.mark.long
@given(samples())
def test_lost_answers_only_widen_the_interval(sample):
    without = lot_rate(Sample(sample.size, sample.drawn, sample.defects))
    with_lost = lot_rate(sample)
    assert with_lost.low == without.low
    assert with_lost.high >= without.high
    assert with_lost.high == lot_rate(Sample(sample.size, sample.drawn, sample.defects + sample.lost)).high


@pytest.mark.long
def test_a_lot_that_is_judged_completely_is_known():
    assert lot_rate(Sample(30, 30, 4)).shares.low == lot_rate(Sample(30, 30, 4)).shares.high == 4 / 30
    assert defects_between(30, 0, 0) == (0, 30)
    assert released_rate(Sample(3, 3, 3)).shares is None
    assert lot_rate(Sample(10, 2, 0, 2)).shares.estimate is None


@pytest.mark.long
@pytest.mark.parametrize("numbers", [(10, 11, 0), (10, 5, 6), (10, 5, 3, 3), (10, 5, -1), (-1, 0, 0)])
def test_impossible_samples_are_refused(numbers):
    with pytest.raises(BadNumbers, match=r"Give a number|Count each answer"):
        Sample(*numbers)


@pytest.mark.long
def test_a_confidence_is_a_share():
    with pytest.raises(BadNumbers, match="between 0 and 1"):
        defects_between(10, 5, 1, confidence=95)


@pytest.mark.long
@given(st.integers(0, 400), st.integers(0, 400))
def test_the_interval_of_a_probability_agrees_with_scipy(hits, more):
    expected = binomtest(hits, hits + more).proportion_ci() if hits + more else (0, 1)
    assert share_between(hits, hits + more) == pytest.approx(tuple(expected), abs=1e-9)


@pytest.mark.long
def test_more_hits_than_trials_are_refused():
    with pytest.raises(BadNumbers, match="2 hits in 1 trials"):
        share_between(2, 1)


def decided_lots(seed, count, size, mean):
    """Return each lot's defects, what was found, and the plan, for lots whose rates vary around a mean."""
    random, chosen = np.random.default_rng(seed), plan(size)
    defects = random.binomial(size, random.beta(2, 2 * (1 - mean) / mean, count))
    return defects, random.hypergeometric(defects, size - defects, chosen.sample), chosen


@pytest.mark.long
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mean", [0.02, 0.05])
def test_pooled_rates_are_near_the_truth_where_the_plain_rate_is_low(size, mean):
    defects, found, chosen = decided_lots(1, 20_000, size, mean)
    accepted = found <= chosen.accept
    rates = pooled((Sample(size, chosen.sample, number), chosen.accept) for number in found.tolist())
    truth = defects[accepted].sum() / (size * accepted.sum())
    left = (defects - found)[accepted].sum() / (size * accepted.sum() - found[accepted].sum())
    plain = found[accepted].sum() / (chosen.sample * accepted.sum())
    assert rates.lots == accepted.sum()
    assert rates.after.estimate == pytest.approx(truth, rel=0.02)
    assert rates.released.estimate == pytest.approx(left, rel=0.02)
    assert plain < 0.92 * truth


@pytest.mark.long
@pytest.mark.parametrize(
    ("size", "defects", "most"), [(100, 5, 1.02), (200, 8, 1.02), (500, 25, 1.03), (1000, 40, 1.02)]
)
def test_expected_pooled_defects_by_exact_sums(size, defects, most):
    """The estimate errs on the careful side: it expects a little more defects among unseen answers than there are."""
    chosen = plan(size)
    truth = estimate = 0.0
    for found, share in probabilities(size, defects, chosen.sample).items():
        truth += share * (defects - found) * (found <= chosen.accept)
        estimate += share * pooled([(Sample(size, chosen.sample, found), chosen.accept)]).unseen
    assert 1 <= estimate / truth <= most


@pytest.mark.long
@pytest.mark.parametrize(
    ("size", "mean", "count"), [(100, 0.03, 20), (100, 0.03, 200), (200, 0.02, 20), (500, 0.03, 60)]
)
def test_the_interval_of_pooled_rates_holds(size, mean, count):
    hits = too_many = 0
    for seed in range(1000):
        defects, found, chosen = decided_lots(seed, count, size, mean)
        unseen = (defects - found)[found <= chosen.accept].sum()
        rates = pooled((Sample(size, chosen.sample, number), chosen.accept) for number in found.tolist())
        hits += rates.low <= unseen <= rates.high
        too_many += unseen > rates.high
    assert hits >= 920
    assert too_many <= 25


@pytest.mark.long
def test_pooled_rates_of_no_lot_and_of_lots_seen_completely():
    nothing = pooled([])
    assert (nothing.lots, nothing.after, nothing.released) == (0, None, None)
    assert pooled([(Sample(9, 9, 1), 0)]).after is None
    seen = pooled([(Sample(10, 10, 1), 1)])
    assert (seen.after.estimate, seen.after.low, seen.after.high) == (0.1, 0.1, 0.1)
    assert pooled([(Sample(100, 44, 0), 2)]).low == 0
    assert 0 < pooled([(Sample(100, 44, 0), 2)]).released.high < 0.2
