"""Hold and release pairs, one or several at once. It is recorded, and never ends a quarantine."""

import threading

import pytest
from django.db import connection

from accounts.models import AuditEvent
from annotation import serving
from catalog import readiness
from catalog.library import holding
from catalog.models import HoldChange, Pair
from media.models import Asset
from safety import quarantine
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def press(study, researcher, browser_client):
    """Return a function that posts hold or release as the researcher. It returns the address and the page after it."""
    client = browser_client(researcher)

    def press_it(path, **sent):
        response = client.post(f"/studies/{study.slug}/library/pairs/{path}", sent, follow=True)
        assert response.status_code == 200, response.content[:300]
        return response.redirect_chain[0][0], " ".join(str(message) for message in response.context["messages"])

    return press_it


def held(*pairs):
    return [Pair.objects.get(pk=pair.pk).held for pair in pairs]


def test_a_held_pair_is_given_to_nobody_until_it_is_released(study, annotator, press):
    pair = factories.pair(study)
    assert "1 pair is now held" in press(f"{pair.public_id}/hold/", act="hold", reason="  The prompt\n is cut off ")[1]
    assert held(pair) == ["The prompt is cut off"]
    assert serving.lease(annotator, study).current is None
    assert "1 pair is released" in press(f"{pair.public_id}/hold/", act="release")[1]
    assert serving.lease(annotator, study).current.pair_id == pair.pk


def test_each_hold_and_release_leaves_a_record(study, researcher, press, browser_client):
    pair = factories.pair(study)
    press(f"{pair.public_id}/hold/", act="hold", reason="Too dark")
    press(f"{pair.public_id}/hold/", act="release")
    events = AuditEvent.objects.filter(subject_id=str(pair.pk), action__startswith="pair.").order_by("pk")
    assert [(event.action, event.actor, event.before, event.after) for event in events] == [
        ("pair.held", researcher, {"held": ""}, {"held": "Too dark"}),
        ("pair.released", researcher, {"held": "Too dark"}, {"held": ""}),
    ]
    page = browser_client(researcher).get(f"/studies/{study.slug}/library/pairs/{pair.public_id}/").content.decode()
    assert "released (reason for the hold: Too dark)" in page


@pytest.mark.long
def test_several_are_held_at_once_and_the_list_is_where_it_was(study, press):
    pairs = factories.pairs(study, 3)
    chosen = [pair.public_id for pair in pairs[:2]]
    address, said = press("hold/?state=open&sort=oldest", act="hold", reason="Wrong batch", pair=chosen)
    assert held(*pairs) == ["Wrong batch", "Wrong batch", ""]
    assert "2 pairs are now held" in said
    assert address == f"/studies/{study.slug}/library/pairs/?state=open&sort=oldest"


def test_twice_the_same_changes_nothing_and_the_first_reason_stays(study, press):
    pair = factories.pair(study)
    press(f"{pair.public_id}/hold/", act="hold", reason="First")
    said = press(f"{pair.public_id}/hold/", act="hold", reason="Second")[1]
    assert "1 was already held" in said
    assert held(pair) == ["First"]
    assert AuditEvent.objects.filter(action="pair.held").count() == 1


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"act": "hold", "reason": "  "}, "Give a reason"),
        ({"act": "hold", "reason": "x" * 201}, "more than 200"),
        ({"act": "hold", "reason": "quarantined"}, "Word it differently"),
        ({"act": "hold", "reason": readiness.MEDIA_FAILED}, "Word it differently"),
    ],
)
def test_what_cannot_be_a_reason_is_refused(study, press, sent, words):
    pair = factories.pair(study)
    assert words in press(f"{pair.public_id}/hold/", **sent)[1]
    assert held(pair) == [""]


def test_nothing_chosen_is_said(press):
    assert "Select at least one pair" in press("hold/", act="release")[1]


def test_an_act_that_there_is_not_is_refused(study, researcher, browser_client):
    pair = factories.pair(study)
    response = browser_client(researcher).post(f"/studies/{study.slug}/library/pairs/{pair.public_id}/hold/")
    assert response.status_code == 400


def test_no_release_past_a_quarantine(study, researcher, annotator):
    pair = factories.pair(study, held="Too dark")
    quarantine.report(pair, ["video_0"], by=annotator)
    assert holding.release(study, [pair.public_id], by=researcher) == holding.Outcome(0, 1)
    assert holding.hold(study, [pair.public_id], reason="Mine", by=researcher) == holding.Outcome(0, 1)
    assert held(pair) == ["quarantined"]


def test_a_pair_whose_video_failed_is_released_only_by_mending_it(study, researcher):
    pair = factories.pair(study, held=readiness.MEDIA_FAILED, ready=False)
    assert holding.release(study, [pair.public_id], by=researcher).changed == 0


def test_what_failed_while_it_was_held_is_held_for_that_after_the_release(study, researcher):
    pair = factories.pair(study)
    holding.hold(study, [pair.public_id], reason="Mine", by=researcher)
    Asset.objects.filter(pk=pair.video_0.asset_id).update(state="failed", reason="The file is empty.")
    holding.release(study, [pair.public_id], by=researcher)
    assert held(pair) == [readiness.MEDIA_FAILED]


def test_pairs_of_another_study_stay_as_they_are(study, researcher):
    elsewhere = factories.pair(factories.study())
    assert holding.hold(study, [elsewhere.public_id], reason="Mine", by=researcher) == holding.Outcome(0, 1)
    assert held(elsewhere) == [""]


def test_who_holds_a_lease_may_finish(study, annotator, researcher):
    pair = factories.pair(study)
    assignment = serving.lease(annotator, study).current
    holding.hold(study, [pair.public_id], reason="Mine", by=researcher)
    assert serving.lease(annotator, study).current == assignment


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_of_two_who_hold_the_same_pairs_at_once_one_reason_stands_on_each():
    study = factories.study()
    people = [factories.member(study, "researcher") for _ in range(2)]
    pairs = [pair.public_id for pair in factories.pairs(study, 20)]
    gate, outcomes = threading.Barrier(2), []

    def hold(person, order):
        gate.wait()
        outcomes.append(holding.hold(study, order, reason=f"By {person.username}", by=person))
        connection.close()

    threads = [
        threading.Thread(target=hold, args=[person, order])
        for person, order in zip(people, (pairs, pairs[::-1]), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcome.changed for outcome in outcomes) == 20
    for event in AuditEvent.objects.filter(action="pair.held"):
        assert Pair.objects.get(pk=event.subject_id).held == event.after["held"]
    assert [change.after for change in HoldChange.objects.order_by("pair")] == [
        pair.held for pair in Pair.objects.order_by("pk")
    ]
