"""The API that holds and releases all pairs of a filtered list, with the same rules as the library's page."""

import pytest

from accounts.tokens import issue_token
from catalog.api_holds import PairFiltersSerializer
from catalog.library.filters import PairFilters
from catalog.models import Pair, PairsChange
from catalog.models.pairs import QUARANTINED
from catalog.pair_changes import orders, work
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(researcher, api):
    return api(researcher)


@pytest.fixture
def address(study):
    return f"/api/v1/studies/{study.slug}/pair-holds/"


@pytest.fixture
def pairs(study):
    """Create four pairs of model-x and one of another. One of model-x is held, and one is in quarantine."""
    made = []
    for number, held in enumerate(["by somebody", QUARANTINED, "", "", ""]):
        about = factories.prompt(study)
        video = factories.video(about, generator="model-x" if number < 4 else "model-y")
        made.append(factories.pair(study, prompt=about, video_0=video, held=held))
    return made


def test_a_filtered_list_is_counted_held_and_released(client, address, pairs):
    assert client.get(address, {"generator": "model-x"}).json() == {"pairs": 3, "free": 2, "held": 1}
    body = {"act": "hold", "filters": {"generator": "model-x"}, "reason": "wrong model"}
    made = client.post(address, body, format="json")
    assert made.status_code == 201
    change = made.json()
    assert (change["what"], change["state"], change["reason"]) == ("hold", "done", "wrong model")
    assert change["choice"] == {"generator": "model-x"}
    assert change["outcome"] == "2 pairs were changed."
    assert set(Pair.objects.filter(held="wrong model")) == set(pairs[2:4])
    released = client.post(address, {"act": "release", "filters": {"reason": "wrong"}}, format="json").json()
    assert (released["what"], released["outcome"]) == ("release", "2 pairs were changed.")
    assert client.get(address).json() == {"pairs": 4, "free": 3, "held": 1}


def test_a_long_list_is_a_job_that_is_followed_and_cancelled(study, client, address, pairs, monkeypatch):
    monkeypatch.setattr(orders, "RIGHT_AWAY", 1)
    body = {"act": "hold", "filters": {}, "reason": "all"}
    waiting = client.post(address, body, format="json").json()
    assert (waiting["state"], waiting["pairs_done"], waiting["pairs_total"]) == ("waiting", 0, 4)
    assert client.post(address, body, format="json").status_code == 409
    job = f"/api/v1/studies/{study.slug}/pair-changes/{waiting['id']}/"
    assert client.delete(job).json()["state"] == "cancelled"
    again = client.post(address, body, format="json").json()
    work.run(again["id"])
    done = client.get(f"/api/v1/studies/{study.slug}/pair-changes/{again['id']}/").json()
    assert (done["state"], done["pairs_done"], done["outcome"]) == ("done", 4, "3 pairs were changed.")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"act": "hold", "filters": {}, "reason": " "}, "reason"),
        ({"act": "hold", "filters": {}, "reason": QUARANTINED}, "reason"),
        ({"act": "hold", "filters": {"genrator": "model-x"}, "reason": "x"}, "filters"),
        ({"act": "hold", "filters": {"state": "nonsense"}, "reason": "x"}, "state"),
        ({"act": "hold", "filters": {"q": "xyz"}, "reason": "x"}, "q"),
        ({"act": "hold", "reason": "x"}, "filters"),
        ({"act": "hold", "filters": [], "reason": "x"}, "filters"),
        ({"act": "keep", "filters": {}}, "act"),
    ],
)
def test_what_cannot_be_held_is_refused_and_named(client, address, pairs, body, field):
    refused = client.post(address, body, format="json")
    assert (refused.status_code, list(refused.json()["fields"])) == (400, [field])
    assert not PairsChange.objects.exists()


def test_an_empty_list_and_unknown_parameters_are_refused(client, address, pairs):
    nobody = client.post(address, {"act": "release", "filters": {"generator": "nobody"}}, format="json")
    assert nobody.status_code == 409
    assert client.get(address, {"genrator": "model-x"}).json()["code"] == "unknown_parameter"
    assert client.get(address, {"batch": "x"}).status_code == 400


def test_the_filters_are_those_of_the_page(study):
    assert list(PairFiltersSerializer().fields) == list(PairFilters.base_fields)


def test_a_token_needs_the_scope_manage_and_a_role(study, researcher, api, address, pairs):
    for scopes, status in ((["read"], 403), (["manage"], 201)):
        client = api(None)
        client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(researcher, scopes=scopes)}")
        assert client.post(address, {"act": "release", "filters": {}}, format="json").status_code == status
    reviewer = api(factories.member(study, "reviewer"))
    assert reviewer.get(address).status_code == 403
