"""The API of lots, from batches to a decision."""

import pytest

from qc.models import Lot
from tests import factories
from tests.qc.reviewed import answered, judge

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(api, researcher):
    return api(researcher)


def test_a_lot_from_batches_to_its_decision(client, study):
    answered(study, pairs=10)
    study.secondary_share = 0
    study.save()
    made = client.post(f"/api/v1/studies/{study.slug}/lots/", {"batches": [1]}, format="json")
    assert (made.status_code, made.json()["state"], made.json()["seed"]) == (201, "draft", "")
    address = f"/api/v1/lots/{made.json()['id']}"
    started = client.post(f"{address}/start/").json()
    assert (started["state"], started["frame_size"], started["sample_size"]) == ("in_review", 10, 9)
    assert client.post(f"{address}/draw/", {}, format="json").status_code == 200
    lot = Lot.objects.get()
    judge(lot, judged=8)
    early = client.post(f"{address}/decision/", {"outcome": "accepted", "reason": "x"}, format="json")
    assert (early.status_code, early.json()["code"]) == (409, "not_judged")
    assert client.get(f"{address}/quality/").json()["quality"]["rates"]["after"] is None
    for review in lot.reviews.all():
        review.verdicts.all().delete()
    lot.reviews.all().delete()
    judge(lot)
    decided = client.post(f"{address}/decision/", {"outcome": "accepted", "reason": "Good."}, format="json").json()
    assert decided["lot"]["state"] == "accepted"
    assert len(decided["lot"]["seed"]) == 32
    assert decided["quality"]["rates"]["after"] == {
        "size": 10,
        "estimate": 0.0,
        "low": 0,
        "high": 1,
        "share": 0.0,
        "share_low": 0.0,
        "share_high": 0.1,
    }
    again = client.post(f"{address}/decision/", {"outcome": "reopened", "reason": "A mistake."}, format="json")
    assert again.json()["lot"]["state"] == "in_review"


@pytest.mark.long
def test_a_return_names_people(client, study):
    first = factories.member(study, "annotator", username="kim")
    answered(study, first, pairs=10)
    study.secondary_share = 0
    study.save()
    number = client.post(f"/api/v1/studies/{study.slug}/lots/", {"batches": [1]}, format="json").json()["id"]
    client.post(f"/api/v1/lots/{number}/start/")
    judge(Lot.objects.get(), defects=1)
    body = {"outcome": "returned", "reason": "x", "ask_again": "people", "people": ["lee"]}
    refused = client.post(f"/api/v1/lots/{number}/decision/", body, format="json")
    assert refused.status_code == 400
    assert "lee" in str(refused.json()["fields"]["people"])
    body["people"] = ["kim"]
    assert client.post(f"/api/v1/lots/{number}/decision/", body, format="json").status_code == 200
    assert Lot.objects.get().state == "returned"


def test_lots_are_listed_latest_first(client, study):
    for number in (1, 2):
        factories.batch(study, number=number)
        client.post(f"/api/v1/studies/{study.slug}/lots/", {"batches": [number]}, format="json")
    found = client.get(f"/api/v1/studies/{study.slug}/lots/").json()
    assert [lot["number"] for lot in found["lots"]] == [2, 1]
    assert found["next"] is None
    older = client.get(f"/api/v1/studies/{study.slug}/lots/?before=2").json()
    assert [lot["number"] for lot in older["lots"]] == [1]


def test_refusals_have_codes(client, study):
    factories.batch(study)
    taken = {"batches": [1]}
    client.post(f"/api/v1/studies/{study.slug}/lots/", taken, format="json")
    refused = client.post(f"/api/v1/studies/{study.slug}/lots/", taken, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "batch_taken")
    lot = Lot.objects.get()
    refused = client.post(f"/api/v1/lots/{lot.pk}/start/")
    assert (refused.status_code, refused.json()["code"]) == (409, "needs_answers")
    assert client.get("/api/v1/lots/999999/quality/").status_code == 404


def test_reviewers_may_not_read_the_quality(api, study):
    answered(study, pairs=2)
    lot = factories.lot(study, factories.batch(study))
    client = api(factories.member(study, "reviewer"))
    assert client.get(f"/api/v1/lots/{lot.pk}/quality/").status_code == 403
