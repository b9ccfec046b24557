"""In which order pairs are found, by whom, and that nothing behind a person is lost."""

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
    """The pairs that the person is given one after the other, each answered."""
    given = []
    desk = serving.lease(person, study)
    while desk.current:
        given.append(desk.current.pair_id)
        desk = answer(desk.current, person, study, lease_next=True).desk
    return given


def test_lanes_are_merged_by_priority_then_age(study, annotator):
    harmless = factories.pair(study)
    urgent_sensitive = factories.pair(study, priority=5, may_show=["crime"])
    sensitive = factories.pair(study, may_show=["crime"])
    urgent = factories.pair(study, priority=5)
    assert everything(annotator, study) == [urgent_sensitive.pk, urgent.pk, harmless.pk, sensitive.pk]


def test_what_a_person_did_not_agree_to_see_is_never_given_to_them(study):
    person = factories.member(study, "annotator")
    factories.pair(study, priority=9, may_show=["violence"])
    seen = factories.pair(study, may_show=["crime"])
    Seat.objects.filter(person=person).update(excluded=["violence", "porn"])
    assert everything(person, study) == [seen.pk]
    assert serving.lease(person, study).reason == "excluded"


def test_a_next_pair_that_turns_out_to_show_what_they_did_not_agree_to_is_given_back(study, annotator):
    _, found_out, harmless = factories.pairs(study, 3)
    desk = serving.lease(annotator, study)
    assert desk.next.pair_id == found_out.pk
    Seat.objects.filter(person=annotator).update(excluded=["crime"])
    Pair.objects.filter(pk=found_out.pk).update(may_show=["crime"])
    desk = answer(desk.current, annotator, study, lease_next=True).desk
    assert (desk.current.pair_id, desk.next) == (harmless.pk, None)
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
def test_pairs_that_others_hold_and_the_person_cannot_have_are_not_waited_for(study, annotator, column, theirs):
    factories.pair(study)
    Batch.objects.create(study=study, number=2)
    Seat.objects.filter(person=annotator).update(**{column: theirs})
    serving.lease(factories.member(study, "annotator"), study)
    assert serving.lease(annotator, study).reason == "finished"


def test_a_pair_that_somebody_else_holds_is_waited_for_in_ones_own_language(study, annotator):
    factories.pair(study, prompt=factories.prompt(study, language="zh-Hans"))
    serving.lease(factories.member(study, "annotator"), study)
    Seat.objects.filter(person=annotator).update(languages=["zh"])
    assert serving.lease(annotator, study).reason == "all_leased"


def test_the_place_ahead_moves_past_what_was_answered_and_is_still_open(study, annotator):
    factories.pairs(study, 3, wanted=5)
    everything(annotator, study)
    last = Pair.objects.latest("pk")
    assert seat_of(annotator, study).positions["ahead_0"] == [0, last.pk]


def test_a_pair_that_opens_behind_a_person_is_found_by_looking_back(study, annotator, monkeypatch):
    first, *_ = factories.pairs(study, 6)
    Pair.objects.filter(pk=first.pk).update(held="for now")
    desk = serving.lease(annotator, study)
    Pair.objects.filter(pk=first.pk).update(held="")
    desk = answer(desk.current, annotator, study, lease_next=True).desk
    assert desk.next.pair_id != first.pk, "it looked back a moment ago"
    monkeypatch.setattr(queue, "LOOK_BACK_S", 0)
    desk = answer(desk.current, annotator, study, lease_next=True).desk
    assert desk.next.pair_id == first.pk


def test_a_lane_that_is_half_looked_back_at_keeps_the_others_from_nothing(study, annotator, monkeypatch):
    """As that of the controls is for long, or that of possibly harmful pairs once the day's dose is reached."""
    first, *_ = factories.pairs(study, 6)
    Pair.objects.filter(pk=first.pk).update(held="for now")
    desk = serving.lease(annotator, study)
    Pair.objects.filter(pk=first.pk).update(held="")
    seat = seat_of(annotator, study)
    control_lane = queue.CONTROL_LANES[0]
    seat.positions |= {f"ahead_{control_lane}": [0, 10**9], f"back_{control_lane}": list(queue.FRONT)}
    seat.save()
    monkeypatch.setattr(queue, "LOOK_BACK_S", 0)
    desk = answer(desk.current, annotator, study, lease_next=True).desk
    assert desk.next.pair_id == first.pk


def test_looking_back_goes_window_by_window(study, annotator, monkeypatch):
    """What the person cannot take is walked past in windows, of which each says where the next begins."""
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
    for name in ("TAKE", "WINDOW_ENDS"):
        monkeypatch.setattr(queue, name, getattr(queue, name).replace(f"LIMIT {queue.WINDOW}", f"LIMIT {size}"))
    monkeypatch.setattr(queue, "WINDOW", size)


def test_a_person_walks_past_any_number_of_pairs_that_they_cannot_have(study, annotator, monkeypatch):
    narrow_windows(monkeypatch, 2)
    for pair in factories.pairs(study, 7, may_show=["crime"]):
        assert pair.open_slots
    wanted = factories.pair(study, may_show=["hate"])
    Seat.objects.filter(person=annotator).update(excluded=["crime"])
    assert everything(annotator, study) == [wanted.pk]


def test_before_nothing_is_said_to_be_left_the_whole_queue_is_walked(study, annotator):
    first, *_ = factories.pairs(study, 3)
    Pair.objects.filter(pk=first.pk).update(held="for now")
    everything(annotator, study)
    Pair.objects.filter(pk=first.pk).update(held="")
    assert serving.lease(annotator, study).current.pair_id == first.pk


def test_ones_own_released_pair_comes_back_at_once(study, annotator):
    factories.pairs(study, 5)
    desk = serving.lease(annotator, study)
    serving.release(desk.current, annotator)
    again = serving.lease(annotator, study)
    assert {again.current.pk, again.next.pk} == {desk.next.pk, desk.current.pk}


def test_controls_come_at_the_studys_rate_and_never_instead_of_the_last_pairs(study):
    study.control_rate = 0.5
    study.save()
    person = factories.member(study, "annotator")
    factories.pairs(study, 20)
    controls = [factories.pair(study, kind="control", expected={"helpfulness": "video_0"}) for _ in range(20)]
    given = everything(person, study)
    mixed_in = [pk for pk in given if pk in {control.pk for control in controls}]
    assert len(given) - len(mixed_in) == 20
    assert 5 <= len(mixed_in) <= 20
    assert serving.lease(person, study).reason == "finished"


def test_without_a_rate_no_control_is_given(study, annotator):
    factories.pair(study, kind="control", expected={})
    assert serving.lease(annotator, study).reason == "finished"


# --- Offers -------------------------------------------------------------------------------------------------


def offered(person, study, pair):
    """What review writes when it returns an answer to its person: a later round of the same pair."""
    return offer_again(answer_to(person, study, pair))


def offer_again(assignment):
    comment = "Look at the end of the right video once more."
    return offering.offer_again(assignment, reason="returned", actor=None, comment=comment)


def answer_to(person, study, pair):
    desk = serving.lease(person, study)
    assert desk.current.pair_id == pair.pk
    answer(desk.current, person, study)
    return Assignment.objects.get(pk=desk.current.pk)


def test_what_review_returned_comes_before_anything_new(study, annotator):
    pair, *_ = factories.pairs(study, 3)
    offer = offered(annotator, study, pair)
    desk = serving.lease(annotator, study)
    assert desk.current.pk == offer.pk
    assert desk.current.round == 1
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
    desk = serving.lease(annotator, study)
    assert desk.current.pk == offer.pk or desk.next.pk == offer.pk


def test_a_late_answer_to_an_offer_is_taken(study, annotator):
    pair, *_ = factories.pairs(study, 3)
    offered(annotator, study, pair)
    lease = serving.lease(annotator, study).current
    expire(lease)
    leases.return_expired()
    assert answer(lease, annotator, study).standing.counted


def test_an_offer_whose_slot_has_gone_waits(study, annotator):
    pair, other, *_ = factories.pairs(study, 3)
    offer = offered(annotator, study, pair)
    Pair.objects.filter(pk=pair.pk).update(open_slots=0)
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


def test_an_offer_that_has_to_wait_keeps_no_other_from_coming(study, annotator):
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
def test_after_so_many_skips_a_pair_waits_for_a_researcher(study, reason, held):
    pair = factories.pair(study, may_show=["crime"])
    for _ in range(study.hold_after_skips):
        person = factories.member(study, "annotator")
        skipping.skip(serving.lease(person, study).current, person, reason=reason)
    pair.refresh_from_db()
    assert bool(pair.held) == held
    assert pair.open_slots == 1


# --- Expiry -------------------------------------------------------------------------------------------------


def test_an_expired_lease_is_taken_back_lazily_when_nothing_else_is_left(study):
    pair = factories.pair(study)
    one, other = factories.member(study, "annotator"), factories.member(study, "annotator")
    expire(serving.lease(one, study).current)
    assert serving.lease(other, study).current.pair_id == pair.pk
    assert leases.return_expired() == 0
