"""Reviewers of known skill, and what each broken assumption costs. No database."""

import numpy as np
import pytest

from simulation.falls import expected, figures, summary
from simulation.people import BREAKS, crowd
from simulation.reviewers import (
    Reviewer,
    bar_for,
    broken_staff,
    called,
    confirmed,
    defects,
    indefensible,
    severity,
    staff,
)
from simulation.truth import plant
from simulation.work import work_through


@pytest.fixture(scope="module")
def answered():
    world = plant(2_000, 1)
    return world, work_through(world, crowd(10, 1), 1, 3)


@pytest.mark.long
def test_a_bar_makes_so_many_answers_defective(answered):
    world, table = answered
    clear = severity(world, table.pair, table.sheet)
    assert ((clear > 0) == defects(world, table.pair, table.sheet)).all()
    for wanted in (0, 1, 37):
        for at_most in (True, False):
            bar = np.full(len(table), bar_for(clear.max(axis=1), wanted, at_most=at_most))
            found = indefensible(world, table.pair, table.sheet, bar).any(axis=1).sum()
            assert wanted - 2 <= found <= wanted if at_most else wanted <= found <= wanted + 2
    bar = np.full(len(table), bar_for(clear.max(axis=1), 10 * len(table)))
    wrong = (clear.max(axis=1) > 0).sum()
    assert indefensible(world, table.pair, table.sheet, bar).any(axis=1).sum() == wrong


@pytest.mark.long
def test_staff_has_the_range_of_skills_that_was_asked_for():
    people = staff(6, 1, skills=(0.8, 0.95))
    assert sorted(one.finds for one in people) == pytest.approx(np.linspace(0.8, 0.95, 6))
    assert len({one.false_alarms for one in people}) == 6
    assert staff(6, 1, skills=(0.8, 0.95)) == people
    assert staff(6, 2, skills=(0.8, 0.95)) != people


@pytest.mark.long
@pytest.mark.parametrize("name", BREAKS)
def test_each_break_lowers_what_is_found_or_raises_what_is_wrong(answered, name):
    world, table = answered
    clear = severity(world, table.pair, table.sheet)
    real = clear > 1
    usual = Reviewer(0, finds=0.9, false_alarms=0.02)
    (changed,) = broken_staff([usual], [name])

    def both(one):
        return called(world, one, 1, table, clear, real) & confirmed(world, one, 1, table, clear, real)

    less = both(usual)[real].mean() - both(changed)[real].mean()
    more = both(changed)[~real].mean() - both(usual)[~real].mean()
    assert less > 0.05 or more > 0.01


@pytest.mark.long
def test_figures_are_near_the_operating_curve_and_copying_breaks_them():
    whole, copied = figures((), 1, 1_500), figures(["copying"], 1, 1_500)
    good, _bad = expected()
    assert good > 0.95
    assert whole.good >= 0.9
    assert whole.coverage >= 0.95
    assert copied.wrong > whole.wrong + 0.2
    assert copied.good < whole.good - 0.3


@pytest.mark.long
def test_the_summary_names_what_changed():
    told = {"nothing": {"figures": {"found": 0.9}}, "copying": {"figures": {"found": 0.5}, "fall": {"found": 0.4}}}
    assert summary(told)[-1] == "  copying: found -0.40"
