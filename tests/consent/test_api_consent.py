"""A person's own consent for programs."""

import pytest

from annotation.models import Seat
from studies.models import Study
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def harms(study):
    Study.objects.filter(pk=study.pk).update(categories=["violence", "crime"])
    study.refresh_from_db()
    return study


def test_reading_agreeing_and_withdrawing(harms, api):
    person = factories.member(harms, "annotator")
    Seat.objects.filter(person=person).update(consented_version=0)
    client, address = api(person), f"/api/v1/studies/{harms.slug}/consent/"
    terms = client.get(address).json()
    assert (terms["version"], set(terms["texts"])) == (harms.consent_version, {"en", "zh-hans"})
    assert {category["key"] for category in terms["categories"]} == {"crime", "violence"}
    body = {"version": terms["version"], "language": "en", "categories": ["crime"]}
    for _ in range(2):
        given = client.post(address, body, format="json").json()
        assert (given["state"], given["agreed_categories"]) == ("given", ["crime"])
    assert "violence" in Seat.objects.get(person=person).excluded
    for _ in range(2):
        assert client.delete(address).status_code == 204
    assert client.get(address).json()["state"] == "withdrawn"
    assert client.post(f"/api/v1/studies/{harms.slug}/assignments/").json()["reason"] == "consent"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"version": 99}, 409, "changed_meanwhile"),
        ({"language": "eo"}, 400, "invalid"),
        ({"categories": ["violence", "racism"]}, 400, "invalid"),
        ({"categories": "crime"}, 400, "invalid"),
    ],
)
def test_an_outdated_version_is_refused(harms, api, change, status, code):
    person = factories.member(harms, "annotator")
    body = {"version": harms.consent_version, "language": "en", "categories": []} | change
    refused = api(person).post(f"/api/v1/studies/{harms.slug}/consent/", body, format="json")
    assert (refused.status_code, refused.json()["code"]) == (status, code)
