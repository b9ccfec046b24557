"""Any order of lease, renew, expire, sweep, submit, skip and release, alone and at once, keeps every count and loses
nothing; neither does a process that is killed in the middle."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis.stateful import run_state_machine_as_test

from annotation import consent, serving, skipping
from annotation.models import Assignment, Seat
from catalog.models import Pair
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

#: The same examples in every run; `make test-long` looks further.
BRIEF = settings(derandomize=True, database=None, deadline=None)
#: What happens at once happens differently the next time, so that a failing example cannot be made smaller.
AT_ONCE = settings(BRIEF, phases=[Phase.generate])


def test_whatever_happens_in_whatever_order_the_counts_are_right_and_nothing_is_lost():
    run_state_machine_as_test(Interleavings, settings=settings(BRIEF, max_examples=35, stateful_step_count=30))


def test_people_who_do_everything_at_the_same_moment_keep_the_counts_and_never_wait_for_each_other():
    with no_deadlocks():
        settings(AT_ONCE, max_examples=12)(given(SCRIPTS)(together_in_step))()


def test_people_in_processes_of_their_own_keep_the_counts_and_never_wait_for_each_other():
    with no_deadlocks():
        settings(AT_ONCE, max_examples=6)(given(SCRIPTS)(together_as_processes))()


def test_a_process_killed_in_the_middle_loses_nothing_and_its_slots_come_back():
    with no_deadlocks():
        settings(AT_ONCE, max_examples=6)(given(KILLINGS)(killed))()


def crossed(**settings):
    """Two people who hold the same two pairs, of which the first one's current is the second one's next."""
    study = factories.study(**settings)
    first, second = factories.pairs(study, 2, wanted=2, may_show=["violence"])
    one, other = (factories.member(study, "annotator") for _ in range(2))
    Pair.objects.filter(pk=first.pk).update(held="a researcher looks at it")
    serving.lease(other, study)
    Pair.objects.filter(pk=first.pk).update(held="")
    Seat.objects.filter(study=study, person=other).update(positions={})  # as if it were time to look back
    desks = {person: serving.lease(person, study) for person in (one, other)}
    assert desks[one].current.pair_id == desks[other].next.pair_id == first.pk
    assert desks[one].next.pair_id == desks[other].current.pair_id == second.pk
    return study, desks


def withdraws(person, desk, study):
    return lambda: consent.withdraw(person, study)


def skips(person, desk, study):
    """Past the day's dose, so that the next pair, which may show harm as well, is given back too."""
    return lambda: skipping.skip(desk.current, person, reason="too_distressing")


@pytest.mark.parametrize(("acts", "settings"), [(withdraws, {}), (skips, {"daily_dose_s": 10})])
def test_two_people_who_give_back_the_same_two_pairs_the_other_way_round_never_wait_for_each_other(acts, settings):
    with no_deadlocks():
        for _ in range(10):
            study, desks = crossed(**settings)
            results = at_once(*[acts(person, desk, study) for person, desk in desks.items()])
            assert [result for result in results if isinstance(result, Exception)] == []
            assert not Assignment.objects.filter(study=study, state="leased").exists()
