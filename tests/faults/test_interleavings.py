"""The interleavings of `tests/annotation`, run for longer and differently each time."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.annotation.at_once import no_deadlocks
from tests.annotation.interleaving import (
    KILLINGS,
    SCRIPTS,
    Interleavings,
    killed,
    together_as_processes,
    together_in_step,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

LONG = settings(database=None, deadline=None, print_blob=True)
AT_ONCE = settings(LONG, phases=[Phase.generate])


def test_three_hundred_studies_in_which_everything_happens_in_some_order():
    run_state_machine_as_test(Interleavings, settings=settings(LONG, max_examples=300, stateful_step_count=60))


@pytest.mark.parametrize("way", [together_in_step, together_as_processes], ids=["threads", "processes"])
def test_two_hundred_studies_in_which_everything_happens_at_once_to(way):
    with no_deadlocks():
        settings(AT_ONCE, max_examples=200)(given(SCRIPTS)(way))()


def test_a_hundred_processes_killed_in_the_middle():
    with no_deadlocks():
        settings(AT_ONCE, max_examples=100)(given(KILLINGS)(killed))()
