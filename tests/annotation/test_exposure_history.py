"""Whatever happens in any order, the dose of each day is what was really revealed on it."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.annotation.exposure_history import Histories, PlainHistories
from tests.annotation.test_interleavings import BRIEF

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("machine", [Histories, PlainHistories], ids=["our page", "a program"])
def test_the_dose_of_each_day_is_what_was_really_revealed_on_it(machine):
    run_state_machine_as_test(machine, settings=settings(BRIEF, max_examples=8, stateful_step_count=30))
