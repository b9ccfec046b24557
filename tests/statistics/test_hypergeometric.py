"""The hypergeometric distribution, against whole numbers and against scipy."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from diptych.statistics.hypergeometric import BadNumbers, at_least, at_most, probabilities


@st.composite
def lots(draw, least=0, most=120):
    size = draw(st.integers(least, most))
    return size, draw(st.integers(0, size)), draw(st.integers(0, size))


@pytest.mark.long
@given(lots())
def test_probabilities_equal_exact_fractions(lot):
    size, defects, drawn = lot
    for found, share in probabilities(size, defects, drawn).items():
        exact = Fraction(comb(defects, found) * comb(size - defects, drawn - found), comb(size, drawn))
        assert share == pytest.approx(float(exact), rel=1e-11)


@given(lots(), st.integers(-1, 121))
def test_tails_add_up(lot, number):
    size, defects, drawn = lot
    below, above = at_most(number, size, defects, drawn), at_least(number + 1, size, defects, drawn)
    assert below + above == pytest.approx(1)
    assert 0 <= below <= 1


@pytest.mark.long
@given(lots(least=1, most=3000), st.integers(0, 3000))
def test_tails_agree_with_scipy(lot, number):
    size, defects, drawn = lot
    assert at_most(number, *lot) == pytest.approx(hypergeom(size, defects, drawn).cdf(number), abs=1e-9)


def test_a_lot_of_a_million_answers_overflows_nothing():
    terms = probabilities(1_000_000, 20_000, 200_000)
    assert sum(terms.values()) == pytest.approx(1)
    assert at_most(4000, 1_000_000, 20_000, 200_000) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("numbers", [(-1, 0, 0), (10, 11, 5), (10, 5, 11), (10, -1, 5), (10, 5, -1)])
def test_impossible_numbers_are_refused(numbers):
    with pytest.raises(BadNumbers, match="Give a number from 0"):
        probabilities(*numbers)
