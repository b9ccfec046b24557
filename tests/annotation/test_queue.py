"""In which order pairs are found, and by whom. No pair before a person's place is lost."""

import pytest

from annotation import leases, offering, queue, serving, skipping
from annotation.models import Assignment, Seat
from catalog.models import Batch, Pair
from tests import factories
from tests.annotation.test_serving import answer, expire

pytestmark = pytest.mark.django_db


def seat_of(person, study):
    return Seat.objects.get(study=study, person=person)


def everything(person, study):
    """Return the pairs that the person is given one after another, each answered."""
    given = []
    leased = serving.lease(person, study)
    while leased.current:
        given.append(leased.current.pair_id)
        leased = answer(leased.current, person, study, lease_next=True).leased
    return given


def test_lanes_are_merged_by_priority_then_age(study, annotator):
    harmless = factories.pair(study)
    urgent_sensitive = factories.pair(study, priority=5, may_show=["crime"])
    sensitive = factories.pair(study, may_show=["crime"])
    urgent = factories.pair(study, priority=5)
    assert everything(annotator, study) == [urgent_sensitive.pk, urgent.pk, harmless.pk, sensitive.pk]


def test_harms_that_a_person_did_not_agree_to_are_never_served(study):
    person = factories.member(study, "annotator")
    factories.pair(study, priority=9, may_show=["violence"])
    seen = factories.pair(study, may_show=["crime"])
    Seat.objects.filter(person=person).update(excluded=["violence", "porn"])
    assert everything(person, study) == [seen.pk]
    assert serving.lease(person, study).reason == "excluded"


def test_a_next_pair_that_turns_out_to_show_a_left_out_harm_is_released(study, annotator):
    _, found_out, harmless = factories.pairs(study, 3)
    leased = serving.lease(annotator, study)
    assert leased.next.pair_id == found_out.pk
    Seat.objects.filter(person=annotator).update(excluded=["crime"])
    Pair.objects.filter(pk=found_out.pk).update(may_show=["crime"])
    leased = answer(leased.current, annotator, study, lease_next=True).leased
    assert (leased.current.pair_id, leased.next) == (harmless.pk, None)
    found_out.refresh_from_db()
    assert found_out.open_slots == 1


def test_only_prompts_in_the_persons_languages(study, annotator):
    factories.pair(study)
    chinese = factories.pair(study, prompt=factories.prompt(study, language="zh-Hans"))
    german = factories.pair(study, prompt=factories.prompt(study, language="de"))
    Seat.objects.filter(person=annotator).update(languages=["zh", "de"])
    assert everything(annotator, study) == [chinese.pk, german.pk]
    assert serving.lease(annotator, study).reason == "finished"


def test_only_batches_that_the_person_works_on(study, annotator):
    factories.pair(study)
    second = Batch.objects.create(study=study, number=2)
    wanted = factories.pair(study, batch=second)
    Seat.objects.filter(person=annotator).update(batches=[2])
    assert everything(annotator, study) == [wanted.pk]


@pytest.mark.parametrize(("column", "theirs"), [("languages", ["de"]), ("batches", [2])])
def test_leased_pairs_that_the_person_cannot_have_are_not_waited_for(study, annotator, column, theirs):
    factories.pair(study)
    Batch.objects.create(study=study, number=2)
    Seat.objects.filter(person=annotator).update(**{column: theirs})
    serving.lease(factories.member(study, "annotator"), study)
    assert serving.lease(annotator, study).reason == "finished"


def test_a_leased_pair_is_waited_for_in_ones_own_language(study, annotator):
    factories.pair(study, prompt=factories.prompt(study, language="zh-Hans"))
    serving.lease(factories.member(study, "annotator"), study)
    Seat.objects.filter(person=annotator).update(languages=["zh"])
    assert serving.lease(annotator, study).reason == "all_leased"


def test_the_place_ahead_moves_past_answered_pairs_that_are_still_open(study, annotator):
    factories.pairs(study, 3, wanted=5)
    everything(annotator, study)
    last = Pair.objects.latest("pk")
    assert seat_of(annotator, study).positions["ahead_0"] == [0, last.pk]


def test_a_pair_that_opens_behind_a_person_is_found_by_looking_back(study, annotator, monkeypatch):
    first, *_ = factories.pairs(study, 6)
    Pair.objects.filter(pk=first.pk).update(held="for now")
    leased = serving.lease(annotator, study)
    Pair.objects.filter(pk=first.pk).update(held="")
    leased = answer(leased.current, annotator, study, lease_next=True).leased
    assert leased.next.pair_id != first.pk, "it looked back a moment ago"
    monkeypatch.setattr(queue, "LOOK_BACK_S", 0)
    leased = answer(leased.current, annotator, study, lease_next=True).leased
    assert leased.next.pair_id == first.pk


def test_an_unfinished_look_back_in_one_lane_does_not_delay_the_others(study, annotator, monkeypatch):
    """Lanes of controls stay so for long, and so do lanes of possibly harmful pairs at the daily limit."""
    first, *_ = factories.pairs(study, 6)
    Pair.objects.filter(pk=first.pk).update(held="for now")
    leased = serving.lease(annotator, study)
    Pair.objects.filter(pk=first.pk).update(held="")
    seat = seat_of(annotator, study)
    control_lane = queue.CONTROL_LANES[0]
    seat.positions |= {f"ahead_{control_lane}": [0, 10**9], f"back_{control_lane}": list(queue.FRONT)}
    seat.save()
    monkeypatch.setattr(queue, "LOOK_BACK_S", 0)
    leased = answer(leased.current, annotator, study, lease_next=True).leased
    assert leased.next.pair_id == first.pk


def test_a_look_back_goes_window_by_window(study, annotator, monkeypatch):
    """Pairs that the person cannot have are passed in windows. The end of each is the beginning of the next."""
    pairs = factories.pairs(study, 8, wanted=2)
    reopened = pairs[5]
    Pair.objects.filter(pk=reopened.pk).update(held="for now")
    for _ in range(5):
        answer(serving.lease(annotator, study).current, annotator, study)
    Pair.objects.filter(pk=reopened.pk).update(held="")
    assert seat_of(annotator, study).positions["ahead_0"][1] > reopened.pk
    narrow_windows(monkeypatch, 2)
    positions = queue.Positions(seat_of(annotator, study).positions)
    behind = {0: (queue.FRONT, positions.ahead[0])}
    ends = queue._ends({"study": study.pk}, behind)
    assert ends[0] == (True, queue.Turn(0, pairs[1].pk))


def narrow_windows(monkeypatch, size):
    for name in ("LEASE", "WINDOW_ENDS"):
        monkeypatch.setattr(queue, name, getattr(queue, name).replace(f"LIMIT {queue.WINDOW}", f"LIMIT {size}"))
    monkeypatch.setattr(queue, "WINDOW", size)


def test_a_person_passes_any_number_of_pairs_that_they_cannot_have(study, annotator, monkeypatch):
    narrow_windows(monkeypatch, 2)
    for pair in factories.pairs(study, 7, may_show=["crime"]):
        assert pair.open_slots
    wanted = factories.pair(study, may_show=["hate"])
    Seat.objects.filter(person=annotator).update(excluded=["crime"])
    assert everything(annotator, study) == [wanted.pk]


def test_the_whole_queue_is_searched_before_the_reason_is_that_nothing_is_left(study, annotator):
    first, *_ = factories.pairs(study, 3)
    Pair.objects.filter(pk=first.pk).update(held="for now")
    everything(annotator, study)
    Pair.objects.filter(pk=first.pk).update(held="")
    assert serving.lease(annotator, study).current.pair_id == first.pk


@pytest.mark.long
def test_ones_own_released_pair_is_served_again_at_once(study, annotator):
    factories.pairs(study, 5)
    leased = serving.lease(annotator, study)
    serving.release(leased.current, annotator)
    again = serving.lease(annotator, study)
    assert {again.current.pk, again.next.pk} == {leased.next.pk, leased.current.pk}


def test_controls_come_at_the_studys_rate_and_never_instead_of_the_last_pairs(study):
    study.control_rate = 0.05
    study.save()
    person = factories.member(study, "annotator")
    factories.pairs(study, 58)
    controls = {factories.pair(study, kind="control", expected={}).pk for _ in range(20)}
    given = everything(person, study)
    places = [place for place, pk in enumerate(given) if pk in controls]
    assert [place // 20 for place in places if place < 60] == [1, 2]
    assert len(given) == 58 + len(places)  # the next twenty may begin with a control, at place 60
    assert serving.lease(person, study).reason == "finished"


def test_without_a_rate_no_control_is_served(study, annotator):
    factories.pair(study, kind="control", expected={})
    assert serving.lease(annotator, study).reason == "finished"


# --- Offers -------------------------------------------------------------------------------------------------


def offered(person, study, pair):
    """Write what a reviewer writes when they return an answer: a later round of the same pair."""
    return offer_again(answer_to(person, study, pair))


def offer_again(assignment):
    comment = "Look at the end of the right video once more."
    return offering.offer_again(assignment, reason="returned", actor=None, comment=comment)


def answer_to(person, study, pair):
    leased = serving.lease(person, study)
    assert leased.current.pair_id == pair.pk
    answer(leased.current, person, study)
    return Assignment.objects.get(pk=leased.current.pk)


def test_a_returned_pair_comes_before_new_pairs(study, annotator):
    pair, *_ = factories.pairs(study, 3)
    offer = offered(annotator, study, pair)
    leased = serving.lease(annotator, study)
    assert leased.current.pk == offer.pk
    assert leased.current.round == 1
    pair.refresh_from_db()
    assert pair.open_slots == 0


@pytest.mark.parametrize("ends", ["expires", "is released"])
def test_an_offer_whose_lease_ended_unanswered_is_offered_again(study, annotator, ends):
    pair, *_ = factories.pairs(study, 3)
    offer = offered(annotator, study, pair)
    lease = serving.lease(annotator, study).current
    if ends == "expires":
        expire(lease)
        leases.return_expired()
    else:
        serving.release(lease, annotator)
    offer.refresh_from_db()
    assert (offer.state, offer.ended_at) == ("offered", None)
    leased = serving.lease(annotator, study)
    assert leased.current.pk == offer.pk or leased.next.pk == offer.pk


def test_a_late_answer_to_an_offer_is_accepted(study, annotator):
    pair, *_ = factories.pairs(study, 3)
    offered(annotator, study, pair)
    lease = serving.lease(annotator, study).current
    expire(lease)
    leases.return_expired()
    assert answer(lease, annotator, study).standing.counted


def test_an_offer_without_a_free_slot_waits(study, annotator):
    pair, other, *_ = factories.pairs(study, 3)
    offer = offered(annotator, study, pair)
    Pair.objects.filter(pk=pair.pk).update(open_slots=0, replacement_open=0)
    assert serving.lease(annotator, study).current.pair_id == other.pk
    offer.refresh_from_db()
    assert offer.state == "offered"


def test_an_offer_that_the_person_no_longer_agrees_to_see_waits(study, annotator):
    pair, other, *_ = factories.pairs(study, 3)
    offer = offered(annotator, study, pair)
    Pair.objects.filter(pk=pair.pk).update(may_show=["crime"])
    Seat.objects.filter(person=annotator).update(excluded=["crime"])
    assert serving.lease(annotator, study).current.pair_id == other.pk
    offer.refresh_from_db()
    assert offer.state == "offered"


def test_a_waiting_offer_does_not_delay_the_others(study, annotator):
    held, other = factories.pairs(study, 2)
    answers = [answer_to(annotator, study, pair) for pair in (held, other)]
    waiting, offer = (offer_again(assignment) for assignment in answers)
    Pair.objects.filter(pk=held.pk).update(held="looked at")
    assert serving.lease(annotator, study).current.pk == offer.pk
    waiting.refresh_from_db()
    assert waiting.state == "offered"


# --- Skips end ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "held"),
    [("technical_problem", True), ("cannot_judge", True), ("too_distressing", False), ("not_revealed", False)],
)
def test_after_the_set_number_of_skips_a_pair_is_held(study, reason, held):
    pair = factories.pair(study, may_show=["crime"])
    for _ in range(study.hold_after_skips):
        person = factories.member(study, "annotator")
        skipping.skip(serving.lease(person, study).current, person, reason=reason)
    pair.refresh_from_db()
    assert bool(pair.held) == held
    assert pair.open_slots == 1


# --- Expiry -------------------------------------------------------------------------------------------------


def test_an_expired_lease_is_swept_when_nothing_else_is_left(study):
    pair = factories.pair(study)
    one, other = factories.member(study, "annotator"), factories.member(study, "annotator")
    expire(serving.lease(one, study).current)
    assert serving.lease(other, study).current.pair_id == pair.pk
    assert leases.return_expired() == 0
