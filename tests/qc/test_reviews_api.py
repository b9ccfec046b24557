"""The API of reviews: the way of a program from a lease to a confirmed defect, and what it never shows."""

import pytest

from qc.models import Review, Verdict
from qc.outcomes import Outcome, outcomes
from qc.verdicts import annotator_comes_first
from tests import factories

pytestmark = pytest.mark.django_db


def post(client, address, body=None):
    response = client.post(f"/api/v1/{address}", body or {}, format="json")
    assert response.status_code == 200, response.content
    return response.json()


def test_from_a_lease_to_a_confirmed_defect(api):
    study = factories.study()
    annotator = factories.member(study, "annotator", username="a-person-with-a-name")
    lot = factories.lot_in_review(study, people=[annotator], drawn=True)
    checker, confirmer = factories.reviewer(study, "researcher"), factories.reviewer(study)
    client = api(checker)
    found = post(client, f"lots/{lot.pk}/reviews/", {"kind": "spot"})
    review = found["current"]
    assert (review["judging"], review["blind"]) == (None, True)
    own = factories.body()
    own["helpfulness"]["overall"] = "video_1"
    answered = client.post(f"/api/v1/reviews/{review['id']}/answer/", own, format="json")
    rows = answered.json()["judging"]["rows"]
    assert [row["row"] for row in rows if row["differs"]] == ["helpfulness"]
    assert b"a-person-with-a-name" not in answered.content
    (row,) = [row for row in rows if row["differs"]]
    verdict = {name: row[name] for name in ("review", "annotation", "row")} | {"ruling": "defect"}
    refused = client.post(f"/api/v1/reviews/{review['id']}/submit/", {"verdicts": [verdict]}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (400, "code_needed")
    verdict |= {"code": "overlooked", "comment": "It rolls backwards."}
    assert post(client, f"reviews/{review['id']}/submit/", {"verdicts": [verdict]})["reason"] == "nothing_due"
    assert post(client, f"reviews/{review['id']}/submit/", {"verdicts": [verdict]})["reason"] == "nothing_due"

    client = api(confirmer)
    review = post(client, f"lots/{lot.pk}/reviews/", {"kind": "confirm"})["current"]
    (row,) = review["judging"]["rows"]
    assert [answer["name"] for answer in row["answers"]] == ["First", "Second"]
    assert (row["note"], row["annotation"]) == ("", None)
    stored = Verdict.objects.get()
    says = "first" if annotator_comes_first(stored, confirmer.pk) else "second"
    post(client, f"reviews/{review['id']}/submit/", {"opinions": [{"verdict": row["verdict"], "says": says}]})
    assert list(outcomes(lot).values()) == [Outcome.DEFECTIVE]


def test_skipping_undoing_and_giving_back(api):
    study = factories.study()
    lot = factories.lot_in_review(study, 2)
    reviewer = factories.reviewer(study)
    client = api(reviewer)
    first = post(client, f"lots/{lot.pk}/reviews/", {"kind": "secondary"})["current"]
    second = post(client, f"reviews/{first['id']}/submit/")["current"]
    assert second["id"] != first["id"]
    assert post(client, f"reviews/{first['id']}/undo/")["current"]["id"] == first["id"]
    assert Review.objects.get(pk=second["id"]).state == "returned"
    assert post(client, f"reviews/{first['id']}/renew/")["id"] == first["id"]
    again = post(client, f"reviews/{first['id']}/skip/", {"reason": "cannot_judge"})["current"]
    assert again["id"] == second["id"]
    assert client.post(f"/api/v1/reviews/{again['id']}/release/").status_code == 204
    assert client.post(f"/api/v1/reviews/{first['id']}/undo/").json()["code"] == "not_submitted"
