"""Reliability of simulated people against their planted skill: as the model assumes them, and otherwise."""

import pytest

from benchmarks import quality
from simulation.people import BREAKS


@pytest.mark.long
def test_reliability_ranks_people_nearly_as_planted():
    assert quality.measure(quality.NOTHING, quality.MANY, [1]).planted >= quality.WITH_MANY


@pytest.mark.long
def test_copying_lowers_it_and_agreement_does_not_show_it():
    whole, copied = (quality.measure(what, 200, range(1, 4)) for what in (quality.NOTHING, "copying"))
    assert copied.reached < whole.reached
    assert copied.agreement > whole.agreement


@pytest.mark.long
def test_reliability_over_seeds_and_sizes():
    runs = [quality.measure(quality.NOTHING, each, range(1, 11)) for each in (quality.FEW, quality.MANY)]
    assert all(claim.holds for claim in quality.judge(runs)), quality.summary_table(runs)


@pytest.mark.long
@pytest.mark.parametrize("what", BREAKS)
def test_each_broken_assumption_is_reported_with_its_fall(what, capsys):
    """No aim is set. The figures are in docs/benchmarks/quality.md; people must not fall below chance."""
    runs = [quality.measure(name, quality.MANY, range(1, 4)) for name in (quality.NOTHING, what)]
    assert runs[1].reached > 0.5
    with capsys.disabled():
        print(f"\n{quality.summary_table(runs)}")
