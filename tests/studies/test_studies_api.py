"""The API for studies, their state and their people."""

import uuid

import pytest

from accounts.models import User
from studies.models import Invitation, Study
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(study):
    return factories.member(study, "admin")


@pytest.mark.long
def test_a_study_is_made_resumed_and_closed(study, admin, api):
    client = api(admin)
    made = client.post("/api/v1/studies/", {"slug": "second", "title": "Second"}, format="json")
    assert (made.status_code, made.json()["state"], made.json()["roles"]) == (201, "paused", ["admin", "researcher"])
    again = client.post("/api/v1/studies/", {"slug": "second", "title": "Second"}, format="json")
    assert again.status_code == 409
    for slug in ("New", "new", "-a", "a/b"):
        refused = client.post("/api/v1/studies/", {"slug": slug, "title": "x"}, format="json")
        assert (refused.status_code, list(refused.json()["fields"])) == (400, ["slug"])
    steps = [("pause", "paused"), ("resume", "running"), ("resume", "running"), ("close", "closed")]
    for step, state in steps:
        assert client.post(f"/api/v1/studies/{study.slug}/state/", {"step": step}, format="json").json() == {
            "state": state
        }
    assert client.post(f"/api/v1/studies/{study.slug}/state/", {"step": "resume"}, format="json").status_code == 409
    assert client.post(f"/api/v1/studies/{study.slug}/state/", {"step": "burn"}, format="json").status_code == 400


@pytest.mark.long
def test_only_an_admin_opens_a_closed_study_again(study, admin, api):
    Study.objects.filter(pk=study.pk).update(state="closed")
    address = f"/api/v1/studies/{study.slug}/state/"
    assert (
        api(factories.member(study, "researcher")).post(address, {"step": "reopen"}, format="json").status_code == 403
    )
    assert api(admin).post(address, {"step": "reopen"}, format="json").json() == {"state": "paused"}


@pytest.mark.long
def test_people_are_added_listed_and_given_roles(study, admin, api):
    client, people = api(admin), f"/api/v1/studies/{study.slug}/people/"
    elsewhere = factories.person()
    body = {"names": ["kim", elsewhere.username], "role": "annotator"}
    added = client.post(people, body, format="json").json()["added"]
    assert [(one["outcome"], bool(one["password"]), bool(one["token"])) for one in added] == [
        ("created", True, True),
        ("invited", False, False),
    ]
    listed = client.get(people, {"q": "ki"}).json()
    assert [(one["name"], one["roles"]) for one in listed["people"]] == [("kim", ["annotator"])]
    (invitation,) = listed["invitations"]
    for _ in range(2):
        assert client.put(f"{people}kim/roles/reviewer/").status_code == 204
    assert client.get(people, {"q": "kim"}).json()["people"][0]["roles"] == ["annotator", "reviewer"]
    assert client.delete(f"{people}kim/roles/annotator/").status_code == 204
    assert client.put(f"{people}nobody/roles/reviewer/").status_code == 404
    assert client.put(f"{people}kim/roles/king/").status_code == 404
    assert client.delete(f"/api/v1/studies/{study.slug}/invitations/{invitation['id']}/").status_code == 204
    assert Invitation.objects.get().state == "withdrawn"


@pytest.mark.long
def test_the_same_numbered_form_adds_nobody_twice(study, admin, api):
    client, people = api(admin), f"/api/v1/studies/{study.slug}/people/"
    body = {"count": 2, "role": "annotator", "prefix": "lab", "once": str(uuid.uuid4())}
    first = client.post(people, body, format="json")
    assert [one["username"] for one in first.json()["added"]] == ["lab-1", "lab-2"]
    assert client.post(people, body, format="json").status_code == 409
    assert User.objects.filter(username__startswith="lab-").count() == 2
    assert client.post(people, {"role": "annotator"}, format="json").status_code == 400


@pytest.mark.long
def test_a_researcher_gives_no_role_of_an_admin(study, api):
    client = api(factories.member(study, "researcher"))
    address = f"/api/v1/studies/{study.slug}/people/"
    assert client.post(address, {"names": ["kim"], "role": "admin"}, format="json").status_code == 403
    own = factories.member(study, "annotator")
    assert client.put(f"{address}{own.username}/roles/admin/").status_code == 403


@pytest.mark.long
def test_many_people_come_in_pages(study, admin, api, monkeypatch):
    monkeypatch.setattr("studies.api_people.PEOPLE_A_PAGE", 2)
    names = sorted(factories.member(study, "annotator").username for _ in range(4))
    client, address, seen, after = api(admin), f"/api/v1/studies/{study.slug}/people/", [], ""
    while after is not None:
        page = client.get(address, {"role": "annotator"} | ({"after": after} if after else {})).json()
        seen += [one["name"] for one in page["people"]]
        after = page["next"]
    assert seen == names


@pytest.mark.long
def test_settings_are_read_and_changed_as_a_file(study, admin, api):
    client, address = api(admin), f"/api/v1/studies/{study.slug}/settings/"
    read = client.get(address)
    body = {name: read.json()[name] for name in ("format", "version")} | {"settings": {"overlap": 3, "lease_s": 900}}
    changed = client.patch(address, body, format="json", HTTP_IF_MATCH=read["ETag"])
    assert (changed.status_code, changed.json()["settings"]["overlap"]) == (200, 3)
    stale = client.patch(address, body, format="json", HTTP_IF_MATCH=read["ETag"])
    assert (stale.status_code, stale.json()["code"]) == (409, "changed_meanwhile")
    assert client.patch(address, body, format="json").status_code == 200
    wrong = client.patch(address, body | {"settings": {"overlap": "3", "colour": 1}}, format="json")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid")
    assert "colour" in wrong.json()["detail"]
    assert "overlap" in wrong.json()["detail"]
    assert Study.objects.get(pk=study.pk).overlap == 3
