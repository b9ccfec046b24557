"""How controls are mixed into people's work: never above the cap, never twice to one person, and not recognisable."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation import draws, serving
from annotation.models import Assignment, Seat
from annotation.own_progress import own_progress
from annotation.queue import LEASE, LEASE_CONTROL
from catalog.models import Pair
from studies.models import Study
from tests import factories
from tests.annotation.exposed import submit
from tests.controls.made import agreed, control_of, due

pytestmark = pytest.mark.django_db

RATES = st.floats(0.0001, 0.05)


@given(rates=st.lists(st.tuples(RATES, st.integers(1, 150)), min_size=1, max_size=5), seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_the_share_of_controls_is_never_above_the_rate_in_any_history(rates, seed):
    """While the rate changes, too: at each control, the share up to it is at most the rate in force."""
    seat = Seat(study_id=1, person_id=2)
    for rate, pairs in rates:
        study = Study(pk=1, seed=seed, control_rate=rate)
        for _ in range(pairs):
            is_control = draws.is_control(study, seat)
            seat.served += 1
            seat.controls += is_control
            assert not is_control or seat.controls <= rate * seat.served


def test_each_block_of_pairs_but_the_first_has_one_control_at_a_drawn_place():
    places = []
    for seed in range(40):
        seat, study = Seat(study_id=1, person_id=2), Study(pk=1, seed=seed, control_rate=0.05)
        for number in range(200):
            is_control = draws.is_control(study, seat)
            seat.served, seat.controls = number + 1, seat.controls + is_control
            places += [number] if is_control else []
        assert seat.controls == 9
    assert min(places) >= 20
    assert {place % 20 for place in places} == set(range(20))


def test_without_a_rate_there_are_none():
    study = Study(pk=1, control_rate=0)
    assert not any(draws.is_control(study, Seat(study_id=1, person_id=2, served=n)) for n in range(100))


@pytest.fixture
def often(monkeypatch, study):
    """Let every second pair be a control. The cap is tested above, and histories here are short."""
    study.control_rate = 0.05
    study.save()
    monkeypatch.setattr("annotation.draws.is_control", lambda _study, seat: seat.served % 2 == 1)


def work_through(person, study):
    """Answer everything, and return the pairs in order."""
    had, leased = [], serving.lease(person, study)
    while leased.current:
        had.append(leased.current.pair)
        leased = submit(leased.current, person, lease_next=True).leased
    return had


@pytest.mark.usefixtures("often")
class TestNeverTwice:
    @pytest.mark.long
    def test_who_answered_the_pair_does_not_get_its_control_and_a_new_person_gets_it_once(self, study, annotator):
        others = [factories.member(study, "annotator") for _ in range(3)]
        [pair] = agreed(study, others)
        control = control_of(study, pair)
        factories.pairs(study, 4, wanted=2)
        assert control.pair not in work_through(others[0], study)
        assert work_through(annotator, study).count(control.pair) == 1
        assert Seat.objects.get(person=annotator).controls == 1

    def test_whoever_only_looked_at_the_pair_does_not_get_its_control(self, study, annotator):
        pair = factories.pair(study)
        serving.release(serving.lease(annotator, study).current, annotator)
        Pair.objects.filter(pk=pair.pk).update(held="enough")
        control = control_of(study, pair)
        factories.pairs(study, 4)
        assert control.pair not in work_through(annotator, study)

    def test_a_swapped_repeat_goes_only_to_its_person_with_the_sides_swapped(self, study, annotator):
        pair = factories.pair(study)
        first = factories.answer(annotator, study)
        swapped = "video_1" if first.left == "video_0" else "video_0"
        facts = {"expected": {"answer": "video_0", "left": swapped}, "only_for": annotator.pk}
        control = control_of(study, pair, "swapped_repeat", **facts)
        factories.pairs(study, 4, wanted=2)
        assert control.pair not in work_through(factories.member(study, "annotator"), study)
        assert work_through(annotator, study).count(control.pair) == 1
        assert Assignment.objects.get(pair=control.pair).left == swapped

    def test_a_released_control_comes_again_and_is_counted_once(self, study, annotator):
        control = control_of(study, factories.pair(study, held="elsewhere"))
        factories.pairs(study, 3)
        leased = serving.lease(annotator, study)
        serving.release(leased.next, annotator)
        leased = submit(leased.current, annotator, lease_next=True).leased
        assert control.pair_id in (leased.current.pair_id, leased.next.pair_id)
        assert Seat.objects.get(person=annotator).controls == 1


def test_a_control_is_served_to_people_who_are_limited_to_some_batches(study, annotator):
    factories.pairs(study, 3)
    Seat.objects.filter(person=annotator).update(batches=[1])
    control = control_of(study, factories.pair(study, held="elsewhere"))
    factories.answer(annotator, study)
    serving.release(serving.lease(annotator, study).next, annotator)
    due(annotator, study)
    assert serving.lease(annotator, study).next.pair_id == control.pair_id


# --- Not recognisable -----------------------------------------------------------------------------------------

#: Fields whose content differs from pair to pair. Their form is compared.
OF_THE_PAIR = ("id", "pair_id", "prompt", "left", "video_0", "video_1", "expires_at", "dimension_first")


@pytest.fixture
def mixed(study, annotator, api):
    """Return a client and a function that leases a pair for the second place: a control if that is wanted."""
    factories.pairs(study, 12, wanted=2)
    control = control_of(study, factories.pair(study, held="elsewhere"))
    client = api(annotator)
    factories.answer(annotator, study)

    def second(*, wants_control):
        leased = serving.lease(annotator, study)
        if leased.next:
            serving.release(leased.next, annotator)
            Seat.objects.update(positions=leased.seat.positions)
        due(annotator, study) if wants_control else Seat.objects.update(served=0, controls=0)
        with CaptureQueriesContext(connection) as seen:
            desk = client.post(f"/api/v1/studies/{study.slug}/assignments/").json()
        assert (Assignment.objects.get(pk=desk["next"]["id"]).pair_id == control.pair_id) == wants_control
        return desk["next"], len(seen)

    return client, second


def form(value):
    """Return the keys, types and lengths of a value of JSON, without its content. Addresses keep their parts."""
    if isinstance(value, dict):
        return {key: form(one) for key, one in value.items()}
    if isinstance(value, str):
        return [part if part in {"left", "right"} else len(part) for part in re.split("[/?&=.]", value)]
    return type(value).__name__


def test_no_field_of_the_response_and_no_number_of_statements_tells_a_control(mixed):
    _client, second = mixed
    (ordinary, statements), (control, of_control) = second(wants_control=False), second(wants_control=True)
    assert set(control) == set(ordinary)
    assert set(control["prompt"]) == set(ordinary["prompt"])
    for name, value in ordinary.items():
        if name == "prompt":
            continue
        assert (form(control[name]) == form(value)) if name in OF_THE_PAIR else (control[name] == value), name
    assert (control["round"], control["batch"], control["identical"], control["returned"]) == (0, 1, False, None)
    assert of_control == statements


def submitted(client, pair):
    with CaptureQueriesContext(connection) as seen:
        response = client.post(f"/api/v1/assignments/{pair['id']}/submit/", factories.body(), format="json")
    assert response.status_code == 201, response.json()
    return response.json(), len(seen)


def test_neither_does_the_response_to_its_answer(mixed):
    client, second = mixed
    ordinary, _ = second(wants_control=False)
    of_ordinary = submitted(client, ordinary)
    control, _ = second(wants_control=True)
    of_control = submitted(client, control)
    assert form(of_control[0]) == form(of_ordinary[0])
    assert of_control[0]["annotation"]["counted"] is of_ordinary[0]["annotation"]["counted"] is True
    assert of_control[1] == of_ordinary[1]


def test_neither_does_the_persons_progress(mixed, study, annotator):
    """The position moves on by one pair with each answer, and the number of pairs stays."""
    client, second = mixed
    places = []
    for wants_control in (False, True, False):
        pair, _ = second(wants_control=wants_control)
        submitted(client, pair)
        progress = own_progress(annotator, [study.pk], timezone.now() - timedelta(days=1))[study.pk]
        places.append((progress.answers, progress.batch.number, progress.batch.answered))
        total = progress.batch.answered + progress.batch.left
        assert total == 12
    assert places == [(2, 1, 2), (3, 1, 3), (4, 1, 4)]


def test_neither_does_my_work(mixed, study, annotator, browser_client):
    client, second = mixed
    for wants_control in (False, True):
        pair, _ = second(wants_control=wants_control)
        submitted(client, pair)
    page = browser_client(annotator).get(reverse("answers:my_work", args=[study.slug])).content.decode()
    assert "control" not in re.sub("aria-controls|[a-z]+-controls?|data-controls?", "", page.lower())


def test_an_ordinary_lease_runs_the_same_statement_as_ever():
    """Everything about controls is in a statement of its own."""
    assert "repeats_id" not in LEASE
    assert "shown_batch" not in LEASE
    assert "controls" not in LEASE
    assert "shown_batch" in LEASE_CONTROL
