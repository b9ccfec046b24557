"""Leases, renewals, sweeps, answers, skips and releases in any order, one by one and at once: counts stay right and
nothing is lost, even if a process is killed."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis.stateful import run_state_machine_as_test

from annotation import serving, skipping
from annotation.models import Assignment, Seat
from catalog.models import Pair
from consent import agreements
from tests import factories
from tests.annotation.at_once import no_deadlocks
from tests.annotation.interleaving import (
    KILLINGS,
    SCRIPTS,
    Interleavings,
    killed,
    together_as_processes,
    together_in_step,
)
from tests.annotation.test_concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)

#: The same examples in every run. `make test-long` tries more.
BRIEF = settings(derandomize=True, database=None, deadline=None)
#: Concurrent runs are not repeatable, so hypothesis cannot shrink a failing example.
AT_ONCE = settings(BRIEF, phases=[Phase.generate])


def test_whatever_happens_in_whatever_order_the_counts_are_right_and_nothing_is_lost():
    run_state_machine_as_test(Interleavings, settings=settings(BRIEF, max_examples=10, stateful_step_count=30))


@pytest.mark.long
def test_people_at_the_same_moment_keep_the_counts_right_and_never_deadlock():
    with no_deadlocks():
        settings(AT_ONCE, max_examples=4)(given(SCRIPTS)(together_in_step))()


@pytest.mark.long
def test_people_in_processes_of_their_own_keep_the_counts_and_never_wait_for_each_other():
    with no_deadlocks():
        settings(AT_ONCE, max_examples=6)(given(SCRIPTS)(together_as_processes))()


@pytest.mark.long
def test_a_process_killed_in_the_middle_loses_nothing_and_its_slots_are_returned():
    with no_deadlocks():
        settings(AT_ONCE, max_examples=6)(given(KILLINGS)(killed))()


def crossed(**settings):
    """Create two people with the same two leased pairs: the current pair of the first is the second's next one."""
    study = factories.study(**settings)
    first, second = factories.pairs(study, 2, wanted=2, may_show=["violence"])
    one, other = (factories.member(study, "annotator") for _ in range(2))
    Pair.objects.filter(pk=first.pk).update(held="a researcher looks at it")
    serving.lease(other, study)
    Pair.objects.filter(pk=first.pk).update(held="")
    Seat.objects.filter(study=study, person=other).update(positions={})  # as if a look back were due
    all_leased = {person: serving.lease(person, study) for person in (one, other)}
    assert all_leased[one].current.pair_id == all_leased[other].next.pair_id == first.pk
    assert all_leased[one].next.pair_id == all_leased[other].current.pair_id == second.pk
    return study, all_leased


def withdraws(person, leased, study):
    return lambda: agreements.withdraw(person, study)


def skips(person, leased, study):
    """Skip beyond the daily limit, so that the next pair, which may show harm too, is released as well."""
    return lambda: skipping.skip(leased.current, person, reason="too_distressing")


@pytest.mark.long
@pytest.mark.parametrize(("acts", "settings"), [(withdraws, {}), (skips, {"daily_dose_s": 10})])
def test_two_people_who_release_the_same_two_pairs_in_opposite_order_never_deadlock(acts, settings):
    with no_deadlocks():
        for _ in range(10):
            study, all_leased = crossed(**settings)
            results = at_once(*[acts(person, leased, study) for person, leased in all_leased.items()])
            assert [result for result in results if isinstance(result, Exception)] == []
            assert not Assignment.objects.filter(study=study, state="leased").exists()
