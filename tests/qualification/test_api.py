"""The API of qualification: the way of an annotator, and hostile bodies."""

import pytest
from django.urls import reverse

from qualification import attempts
from qualification.models import PairSet, TurnAnswer
from tests import factories
from tests.qualification import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(study, researcher):
    return world.asks_for_qualification(study, researcher, training=1)


@pytest.fixture
def call(api, study, annotator):
    """Return a function that calls an endpoint as the annotator, and returns the response."""

    def post(name, *args, **body):
        address = reverse(f"api:{name}", args=args or [study.slug])
        return api(annotator).post(address, body, format="json")

    return post


@pytest.mark.long
def test_a_program_qualifies_its_person(api, study, annotator, asked, call):
    own = reverse("api:qualification", args=[study.slug])
    assert api(annotator).get(own).json()["stage"] == "training"
    assert call("qualification_begin", kind="training").json()["number"] == 1
    first = call("qualification_next", kind="training").json()
    turn = first["current"]
    assert (turn["feedback"], first["left"]) == (None, 1)
    assert "expected" not in str(turn)
    explained = call("qualifying_answer", turn["id"], **factories.body()).json()["current"]
    assert [one["right"] for one in explained["feedback"]] == [True, True, True]
    assert call("qualifying_renew", turn["id"]).json()["feedback"] == explained["feedback"]
    assert call("qualifying_care", turn["id"], care={"hidden": 1}).status_code == 204
    assert call("qualifying_go_on", turn["id"]).json()["reason"] == "ended"
    call("qualification_begin", kind="test")
    step = call("qualification_next", kind="test").json()
    while step["current"]:
        step = call("qualifying_answer", step["current"]["id"], **factories.body()).json()
        assert step["current"] is None or step["current"]["feedback"] is None
    found = api(annotator).get(own).json()
    assert (found["stage"], found["how"], found["attempts"][0]["passed"]) == ("qualified", "passed", True)


@pytest.mark.long
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "odd"},
        {"kind": ["training"]},
        {"kind": None},
        [],
        "training",
    ],
)
def test_hostile_bodies_begin_nothing(api, study, annotator, asked, body):
    for name in ("qualification_begin", "qualification_next"):
        response = api(annotator).post(reverse(f"api:{name}", args=[study.slug]), body, format="json")
        assert response.status_code == 400
    assert attempts.attempt_at(annotator, study, "training") is None


@pytest.mark.parametrize(
    "spoil",
    [
        {"submission_id": "x"},
        {"helpfulness": {}},
        {"helpfulness": {"overall": "tie"}},
        {"harmlessness": {"video_0": {"tags": ["odd"]}, "video_1": {"tags": []}, "overall": "video_0"}},
        {"timings_ms": {"total_active": -1}},
        {"timings_ms": {"total_active": 10**30}},
        {"comment": "x" * 3000},
    ],
)
def test_hostile_answers_are_refused_and_nothing_is_stored(study, annotator, asked, call, spoil):
    turn = attempts.next_step(attempts.begin(annotator, study, "training"), annotator).turn
    assert call("qualifying_answer", turn.pk, **factories.body(**spoil)).status_code == 400
    assert not TurnAnswer.objects.exists()


@pytest.mark.long
def test_a_program_writes_and_publishes_a_test(api, study, researcher):
    client, pairs = api(researcher), factories.pairs(study, 5)
    made = client.post(reverse("api:qualification_sets", args=[study.slug]), {"kind": "test"}, format="json").json()
    address = reverse("api:qualification_set", args=[made["id"]])
    expected = [{"row": "helpfulness", "accepted": ["video_0"]}]
    items = [{"pair_id": pair.public_id, "expected": expected} for pair in pairs]
    publish = reverse("api:qualification_publish", args=[made["id"]])
    assert client.post(publish, {}, format="json").json()["code"] == "incomplete"
    written = client.put(address, {"items": items}, format="json").json()
    assert ([one["place"] for one in written["items"]], written["lacking"]) == ([1, 2, 3, 4, 5], [])
    for wrong in (
        {"items": [*items, items[0]]},
        {"items": [{"pair_id": "0" * 64, "expected": expected}]},
        {"items": [{"pair_id": pairs[0].public_id, "expected": [{"row": "odd", "accepted": []}]}]},
        {"items": [{"pair_id": pairs[0].public_id, "expected": [expected[0] | {"optional": ["crime"]}]}]},
        {"items": items * 21},
        {"items": "all"},
    ):
        assert client.put(address, wrong, format="json").status_code == 400
    assert client.post(publish, {}, format="json").json()["state"] == "published"
    assert client.put(address, {"items": items}, format="json").json()["code"] == "published"
    assert PairSet.objects.get().items.count() == 5


@pytest.mark.long
def test_a_program_reads_results_and_decides(api, study, researcher, annotator, asked):
    world.go_through(annotator, study, "training")
    world.go_through(annotator, study, "test", wrong=5)
    client = api(researcher)
    people = client.get(reverse("api:qualification_people", args=[study.slug])).json()["people"]
    assert [(one["username"], one["state"], one["share"]) for one in people] == [(annotator.username, "wait", 0.0)]
    questions = client.get(reverse("api:qualification_questions", args=[study.slug])).json()["questions"]
    assert sum(one["answers"] for one in questions) == 18
    address = reverse("api:qualification_decide", args=[study.slug, annotator.pk])
    for wrong in ({}, {"act": "odd", "reason": "x"}, {"act": "waive"}, {"act": "waive", "reason": "x" * 501}):
        assert client.post(address, wrong, format="json").status_code == 400
    decided = client.post(address, {"act": "waive", "reason": "It is fine."}, format="json").json()
    assert (decided["state"], decided["given_by"]) == ("qualified", researcher.username)
