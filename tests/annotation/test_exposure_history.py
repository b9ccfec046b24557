"""Whatever happens in any order, the dose of each day is what was really revealed on it."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.annotation.exposure_history import Histories, PlainHistories
from tests.annotation.test_interleavings import BRIEF

pytestmark = pytest.mark.django_db(transaction=True)


each_machine = pytest.mark.parametrize("machine", [Histories, PlainHistories], ids=["our page", "a program"])


@pytest.mark.long
@each_machine
def test_the_dose_of_each_day_is_what_was_really_revealed_on_it(machine):
    run_state_machine_as_test(machine, settings=settings(BRIEF, max_examples=4, stateful_step_count=30))


@pytest.mark.long
@each_machine
def test_the_dose_is_right_in_other_histories_each_time(machine):
    run_state_machine_as_test(
        machine, settings=settings(database=None, deadline=None, max_examples=60, stateful_step_count=40)
    )
