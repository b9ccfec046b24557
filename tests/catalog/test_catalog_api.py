"""Batches and changes of pairs for programs."""

import pytest

from catalog.models import Pair
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(study, api):
    return api(factories.member(study, "researcher"))


def test_batches_are_listed_with_how_far_they_are(study, client):
    factories.pairs(study, 3)
    (batch,) = client.get(f"/api/v1/studies/{study.slug}/batches/").json()["batches"]
    assert (batch["pairs"], batch["wanted"], batch["taken"], batch["state"]) == (3, 3, 0, "open")
    assert client.get(f"/api/v1/studies/{study.slug}/batches/?after={batch['number']}").json()["batches"] == []


def test_overlap_is_changed_and_a_stale_change_is_refused(study, client):
    factories.pairs(study, 3)
    address = f"/api/v1/studies/{study.slug}/pair-changes/"
    made = client.post(address, {"what": "overlap", "value": 2}, format="json")
    assert (made.status_code, made.json()["state"], made.json()["pairs_done"]) == (201, "done", 3)
    assert set(Pair.objects.values_list("wanted", flat=True)) == {2}
    stale = client.post(address, {"what": "overlap", "value": 3, "seen": 0}, format="json")
    assert (stale.status_code, stale.json()["code"]) == (409, "changed_meanwhile")
    assert client.get(f"{address}{made.json()['id']}/").json() == client.get(address).json()["changes"][0]


def test_pairs_that_nobody_has_are_put_into_new_batches(study, client):
    factories.pairs(study, 4)
    address = f"/api/v1/studies/{study.slug}/pair-changes/"
    assert client.post(address, {"what": "batches", "value": 2}, format="json").json()["state"] == "done"
    assert [one["pairs"] for one in client.get(f"/api/v1/studies/{study.slug}/batches/").json()["batches"]] == [2, 2]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"what": "overlap", "value": 0}, "value"),
        ({"what": "batches", "value": 0}, "value"),
        ({"what": "overlap", "value": 2, "batch": 99}, "batch"),
        ({"what": "colour", "value": 2}, "what"),
    ],
)
def test_a_field_that_is_wrong_is_named(study, client, body, field):
    factories.pairs(study, 1)
    refused = client.post(f"/api/v1/studies/{study.slug}/pair-changes/", body, format="json")
    assert (refused.status_code, list(refused.json()["fields"])) == (400, [field])
