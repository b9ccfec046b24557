"""The pages and the API of model versions."""

import pytest
from django.urls import reverse
from django.utils import translation

from charts.catalogue import find
from releases import uses
from tests import factories
from tests.training.registering import clusters, decided, reward_rows, tag_rows, trained
from tests.training.training import released
from training import registry_words as words

pytestmark = pytest.mark.django_db
GOOD, FAIR = (reward_rows(right, clusters()) for right in (0.9, 0.65))


@pytest.fixture
def client(browser_client, researcher):
    return browser_client(researcher)


@pytest.fixture
def get(client, study):
    def page(name, *arguments, **query):
        return client.get(reverse(f"models:{name}", args=[study.slug, *arguments]), query)

    return page


@pytest.fixture
def release(study):
    return released(study)


def test_an_empty_list_says_where_models_come_from(get):
    assert "This study has no models yet" in get("list").content.decode()


def test_the_pages_show_versions_their_figures_and_the_decision(study, release, get):
    first, second = decided(release, FAIR), decided(release, GOOD, seed=2)
    page = get("list").content.decode()
    assert "More helpful" in page
    assert "Version 2" in page
    assert "75 % <span" in page.replace("\xa0", " ")
    page = get("family", first.family_id).content.decode()
    assert "It is better than version 1 by +" in page
    assert 'data-chart="' in page
    page = get("version", first.family_id, 2).content.decode().replace("\xa0", " ")
    for said in (
        "70 % to 80 %",
        "52 %",
        "80 % to 88.7 %",
        "Compared with",
        "number 2 since",
        "Take the promotion",
    ):
        assert said in page
    assert reverse("api:run_file", args=[second.run_id, "model/README.md"]) in page
    lines = get("versions_csv", first.family_id).getvalue().decode("utf-8-sig").splitlines()
    assert lines[0].startswith("version,release,run,state,decision,k")
    assert lines[1].startswith(f"2,1,{second.run_id},promoted,better,2,")
    assert [use.name for use in uses.uses_of(release)] == [
        *("More helpful, version 1 (kept)", "More helpful, version 2 (promoted)"),
    ]
    with translation.override("zh-hans"):
        assert "版本 1" in words.why(second)


@pytest.mark.long
def test_charts_have_the_numbers_of_their_tables(study, release):
    version = decided(release, GOOD)
    chart = find(study, "model-versions", {"family": str(version.family_id)})
    rows = {row["of"]: row for row in chart.specification["data"]["values"]}
    assert (rows["Model"]["value"], rows["Majority"]["value"]) == (0.75, 0.52)
    assert (rows["Two people"]["low"], rows["Two people"]["high"]) == (0.8, 0.887)
    chart = find(study, "model-reliability", {"version": str(version.pk), "target": "helpfulness"})
    assert [point["n"] for point in chart.specification["data"]["values"]] == [105, 135]


@pytest.mark.long
def test_a_moderation_version_has_a_row_for_each_tag(release, get):
    version = decided(release, tag_rows(clusters()), kind="moderation")
    page = get("version", version.family_id, 1).content.decode()
    assert "S1 Adult" in page
    assert page.count("not defined") >= 1
    assert "Reliability: Any harm" in page


@pytest.mark.long
def test_a_candidate_and_a_version_with_too_few_clusters_say_so(study, release, get):
    few = decided(release, reward_rows(0.9, clusters(49)))
    assert "Not decidable: 49 of 50 clusters" in get("version", few.family_id, 1).content.decode()
    waiting = trained(release, GOOD, seed=2)
    assert "It waits until" in get("version", waiting.family_id, 2).content.decode()


def test_people_decide_on_the_page_with_a_reason(study, release, get, client):
    decided(release, GOOD)
    second = decided(release, GOOD, seed=2)
    address = reverse("models:decide", args=[study.slug, second.family_id, 2])
    assert client.post(address, {"act": "promote", "reason": " "}).status_code == 400
    assert client.post(address, {"act": "erase", "reason": "x"}).status_code == 400
    page = client.post(address, {"act": "promote", "reason": "It is faster."}, follow=True).content.decode()
    assert "It is faster." in page
    page = client.post(address, {"act": "take_back", "reason": "Too slow."}, follow=True).content.decode()
    assert "Too slow." in page
    page = client.post(address, {"act": "take_back", "reason": "Again."}, follow=True).content.decode()
    assert "This version is not promoted." in page
    page = client.post(address, {"act": "withdraw", "reason": "Its data was withdrawn."}, follow=True).content.decode()
    assert "Withdraw it for good" not in page
    assert "model.safetensors" not in page


@pytest.mark.long
def test_a_version_of_another_study_is_not_there(release, browser_client):
    version = decided(release, GOOD)
    other = factories.study()
    person = factories.member(other, "researcher")
    for name, arguments in (("family", [version.family_id]), ("version", [version.family_id, 1])):
        assert browser_client(person).get(reverse(f"models:{name}", args=[other.slug, *arguments])).status_code == 404


@pytest.mark.long
def test_the_api_lists_reads_and_promotes(study, release, api, researcher):
    client = api(researcher)
    first, second = decided(release, GOOD), decided(release, GOOD, seed=2)
    listed = client.get(f"/api/v1/studies/{study.slug}/models/").json()
    assert [(one["number"], one["state"]) for one in listed["versions"]] == [(2, "kept"), (1, "promoted")]
    only = client.get(f"/api/v1/studies/{study.slug}/models/?state=promoted").json()["versions"]
    assert [one["id"] for one in only] == [first.pk]
    found = client.get(f"/api/v1/models/{second.pk}/").json()
    assert (found["decision"], found["comparison"]["k"], found["comparison"]["against"]) == ("not_worse", 2, 1)
    weights = next(file for file in found["files"] if file["path"] == "model/model.safetensors")
    part = client.get(f"/api/v1/runs/{found['run']}/files/model/model.safetensors", headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.getvalue(), weights["bytes"]) == (206, b"igh", 7)
    refused = client.post(f"/api/v1/models/{second.pk}/take-back/", {"reason": "x"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_promoted")
    promoted = client.post(f"/api/v1/models/{second.pk}/promote/", {"reason": "It is faster."}, format="json")
    assert (promoted.status_code, promoted.json()["state"]) == (200, "promoted")
    taken = client.post(f"/api/v1/models/{second.pk}/take-back/", {"reason": "Wrong."}, format="json").json()
    assert (taken["state"], taken["reason"]) == ("kept", "Wrong.")
    gone = client.post(f"/api/v1/models/{second.pk}/withdraw/", {"reason": "Data."}, format="json").json()
    assert (gone["state"], gone["files"]) == ("withdrawn", [])
    assert client.get(f"/api/v1/runs/{second.run_id}/files/model/model.json").status_code == 410
