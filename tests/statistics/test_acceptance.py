"""Plans, their risks and their operating curves."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from diptych.statistics.acceptance import Outcome, Terms, exact, operating_curve, plan
from diptych.statistics.hypergeometric import BadNumbers

#: Answers of the lot, and the sample and the acceptance number that were worked out by hand.
VECTORS = [
    (10, (9, 0)),
    (20, (14, 0)),
    (60, (30, 1)),
    (100, (44, 2)),
    (137, (45, 2)),
    (200, (48, 2)),
    (300, (62, 3)),
    (500, (100, 4)),
    (750, (150, 6)),
    (1000, (200, 7)),
]


@pytest.mark.long
@pytest.mark.parametrize(("size", "expected"), VECTORS)
def test_known_plans(size, expected):
    chosen = plan(size)
    assert (chosen.sample, chosen.accept) == expected


@pytest.mark.long
@pytest.mark.parametrize(("size", "alone"), [(300, (62, 3)), (500, (63, 3)), (1000, (64, 3))])
def test_known_plans_without_the_least_share(size, alone):
    assert plan(size).alone == alone
    free = plan(size, Terms(least_share=0))
    assert (free.sample, free.accept) == alone


@pytest.mark.long
def test_the_acceptance_number_grows_with_the_sample():
    """With c = 3 and 200 of 1000 answers, 59 % of lots with exactly 2 % defects would be returned."""
    assert 1 - hypergeom(1000, 20, 200).cdf(3) == pytest.approx(0.59, abs=0.005)
    assert plan(1000).producers_risk <= 0.05


def by_definition(size):
    """Return sample and acceptance number with scipy, by trying every sample."""
    good, bad = size * 2 // 100, -(-size * 10 // 100)

    def number(sample):
        return next(c for c in range(sample + 1) if hypergeom(size, good, sample).sf(c) <= 0.05 + 1e-9)

    least = -(-size * 20 // 100)
    sample = next(n for n in range(least, size + 1) if hypergeom(size, bad, n).cdf(number(n)) <= 0.1 + 1e-9)
    return sample, number(sample)


@pytest.mark.long
@pytest.mark.parametrize("size", [1, 2, 7, 33, 49, 50, 51, 150, 251, 275, 299, 333])
def test_plans_agree_with_their_definition(size):
    assert (plan(size).sample, plan(size).accept) == by_definition(size)


@pytest.mark.long
@pytest.mark.parametrize(("least", "most"), [(1, 130), (240, 310), pytest.param(1, 2000, marks=pytest.mark.long)])
def test_both_risks_are_kept(least, most):
    plans = [plan(size) for size in range(least, most + 1)]
    assert max(chosen.consumers_risk for chosen in plans) <= 0.1 + 1e-9
    assert max(chosen.producers_risk for chosen in plans) <= 0.05 + 1e-9


@pytest.mark.long
def test_the_sample_grows_where_the_least_share_would_accept_bad_lots_too_often():
    grown = {size: plan(size).sample - Terms().least_sample(size) for size in range(251, 300)}
    assert all(more > 0 for more in grown.values())
    assert max(grown.values()) == 9


@pytest.mark.long
@given(st.integers(1, 600), st.sampled_from(["0", "0.01", "0.02", "0.03"]), st.sampled_from(["0.05", "0.1", "0.2"]))
def test_the_sample_alone_keeps_both_risks(size, aql, ltpd):
    terms = Terms(aql=aql, ltpd=ltpd, least_share=0)
    chosen = plan(size, terms)
    assert 1 <= chosen.sample <= size
    assert 0 <= chosen.accept < chosen.sample or size == chosen.sample
    assert chosen.producers_risk <= 0.05 + 1e-9
    assert chosen.consumers_risk <= 0.1 + 1e-9


@pytest.mark.long
def test_shares_are_read_as_they_are_written():
    """0.29 · 100 is 28.999… in binary, and 0.07 · 100 is 7.000…1."""
    for share in (0.29, "0.29", Decimal("0.29"), Fraction(29, 100)):
        assert Terms(aql=share, ltpd=0.5).good_defects(100) == 29
    assert Terms(ltpd=0.07).bad_defects(100) == 7
    assert Terms().good_defects(50) == 1
    assert exact(1e-07) == Fraction(1, 10**7)


@pytest.mark.long
@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"aql": 0.1, "ltpd": 0.1}, "smaller share for the good lot"),
        ({"alpha": 0}, "No sample has a risk of 0"),
        ({"beta": "0"}, "No sample has a risk of 0"),
        ({"aql": 2}, "Give a number from 0 to 1"),
        ({"aql": -0.1}, "Give a number from 0 to 1"),
        ({"ltpd": "ten"}, "is not a share"),
        ({"ltpd": float("nan")}, "is not a share"),
    ],
)
def test_bad_terms_are_refused(terms, message):
    with pytest.raises(BadNumbers, match=message):
        Terms(**terms)


@pytest.mark.long
def test_an_empty_lot_is_refused():
    with pytest.raises(BadNumbers, match="at least one answer"):
        plan(0)


@pytest.mark.long
def test_the_operating_curve_falls_and_has_the_two_numbers_of_the_plan():
    chosen = plan(1000)
    curve = operating_curve(chosen)
    shares = {point.defects: point.acceptance for point in curve}
    assert len(curve) <= 203
    assert shares[0] == 1
    assert 1 - shares[20] == pytest.approx(chosen.producers_risk)
    assert shares[100] == pytest.approx(chosen.consumers_risk)
    assert all(one.acceptance >= other.acceptance - 1e-12 for one, other in pairwise(curve))
    assert [point.defects for point in operating_curve(plan(1))] == [0, 1]


@pytest.mark.long
@pytest.mark.parametrize("size", [100, 500, 1000])
def test_the_operating_curve_agrees_with_simulation(size):
    chosen, random, times = plan(size), np.random.default_rng(size), 20_000
    for point in operating_curve(chosen, range(0, size // 5, size // 50)):
        found = random.hypergeometric(point.defects, size - point.defects, chosen.sample, times)
        error = 4 * np.sqrt(point.acceptance * (1 - point.acceptance) / times) + 1e-3
        assert (found <= chosen.accept).mean() == pytest.approx(point.acceptance, abs=error)


@pytest.mark.long
def test_only_a_return_is_certain_early():
    chosen = plan(100)
    assert chosen.returns_from == 3
    assert chosen.outcome(3, unknown=41) is Outcome.RETURN
    assert chosen.outcome(0, unknown=40) is Outcome.OPEN
    assert chosen.outcome(1, unknown=1) is Outcome.ACCEPT
    assert chosen.outcome(2, unknown=1) is Outcome.OPEN
    with pytest.raises(BadNumbers, match="do not fit"):
        chosen.outcome(4, unknown=41)


@pytest.mark.long
def test_effort_counts_second_looks():
    effort = plan(100).effort(25)
    assert (effort.spot_checks, effort.defects_found) == (44, 11)
    assert effort.second_looks == pytest.approx(11 + 3.3)
    assert effort.judgements == pytest.approx(58.3)
    assert plan(10).share == 0.9
