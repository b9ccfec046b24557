"""Random histories of serving with controls, and two people who do the same at once."""

from random import Random

import pytest

from accounts.models import AuditEvent
from annotation import serving, skipping
from annotation.models import Assignment, Seat
from catalog.models import Pair
from controls import withdrawing
from controls.models import Control
from tests import factories
from tests.annotation.exposed import submit
from tests.annotation.test_concurrency import at_once
from tests.controls.made import control_of


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nobody_gets_a_pair_in_two_forms_or_more_controls_than_the_rate(study, seed):
    """Whoever had a pair never gets a control that repeats it, and no control comes twice. Shares stay below the rate.

    The other order is possible: a pair that is asked again after somebody had its control.
    """
    draw = Random(seed)
    study.control_rate, study.hold_after_skips = 0.05, 99
    study.save()
    people = [factories.member(study, "annotator") for _ in range(3)]
    pairs = factories.pairs(study, 70, wanted=2)
    for pair in draw.sample(pairs, 30):
        control_of(study, pair)
    for _ in range(150):
        person = draw.choice(people)
        leased = serving.lease(person, study)
        if leased.current is None:
            continue
        act = draw.choice(["answer"] * 6 + ["skip", "release"])
        if act == "answer":
            submit(leased.current, person)
        elif act == "skip":
            skipping.skip(leased.current, person, reason="cannot_judge")
        else:
            serving.release(leased.current, person)
        seat = Seat.objects.get(study=study, person=person)
        assert seat.controls <= 0.05 * seat.served
    had = Assignment.objects.filter(study=study)
    assert had.filter(pair__kind="control").exists()
    for one in had.filter(pair__kind="control").select_related("pair"):
        mine = had.filter(person=one.person_id)
        assert not mine.filter(pair=one.pair.repeats_id, pk__lt=one.pk).exists()
        assert mine.filter(pair__repeats=one.pair.repeats_id).count() == 1


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_two_people_withdraw_a_control_at_once_and_one_of_them_did_it():
    study = factories.study()
    control = control_of(study, factories.pair(study, held="elsewhere"))
    people = [factories.member(study, "researcher") for _ in range(2)]

    def withdraw(person):
        return withdrawing.withdraw(Control.objects.get(pk=control.pk), because="Wrong.", actor=person)

    at_once(lambda: withdraw(people[0]), lambda: withdraw(people[1]))
    assert AuditEvent.objects.filter(action="control.withdrawn").count() == 1
    assert Pair.objects.get(pk=control.pair_id).open_slots == 0
