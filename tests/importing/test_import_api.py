"""Imports through the API: start, upload, follow, cancel, and download bad rows."""

import base64
import json

import pytest
from jsonschema import Draft202012Validator

from accounts.tokens import issue_token
from catalog.models import Video
from diptych.document import document
from importing import tasks
from importing.models import Import
from tests import factories
from tests.annotation.test_openapi import in_json_schema
from tests.importing.manifests import prompts_with_videos, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_described():
    """Assert that a response agrees with the OpenAPI document. Return its JSON."""

    def check(response, path, method):
        described = document()["paths"][f"/api/v1/{path}"][method]["responses"][str(response.status_code)]
        schema = described["content"]["application/json"]["schema"]
        whole = in_json_schema(schema) | {"components": in_json_schema(document()["components"])}
        assert [error.message for error in Draft202012Validator(whole).iter_errors(response.json())] == []
        return response.json()

    return check


@pytest.fixture
def client(api, researcher):
    return api(researcher)


def imports_of(study):
    return f"/api/v1/studies/{study.slug}/imports/"


def test_an_import_is_asked_for_followed_and_done(study, researcher, client, root, as_described):
    write(root / "colours", prompts_with_videos(1, 3))
    body = {"source": "server", "location": "colours", "options": {"pairs": "random:2", "overlap": 2}}
    asked = client.post(imports_of(study), body, format="json")
    assert asked.status_code == 201
    told = as_described(asked, "studies/{slug}/imports/", "post")
    assert (told["state"], told["location"], told["options"]) == ("waiting", str(root / "colours"), body["options"])
    job = Import.objects.get(public_id=told["id"])
    assert job.asked_by == researcher
    tasks.run_import(job.pk)
    done = as_described(client.get(f"/api/v1/imports/{told['id']}/"), "imports/{import_id}/", "get")
    assert (done["state"], done["report"]["pairs"]["added"]) == ("done", 2)
    assert done["log"][-1]["stage"] == "done"
    assert Video.objects.count() == 3
    listed = as_described(client.get(imports_of(study)), "studies/{slug}/imports/", "get")
    assert [one["id"] for one in listed["imports"]] == [told["id"]]


def test_bad_rows_are_fetched_as_lines(study, client, root, as_described):
    write(root / "bad", [b"{}", b"nonsense"])
    told = client.post(imports_of(study), {"source": "server", "location": "bad"}, format="json").json()
    bad_rows = f"/api/v1/imports/{told['id']}/bad-rows/"
    missing = client.get(bad_rows)
    assert missing.status_code == 404
    tasks.run_import(Import.objects.get().pk)
    refused = as_described(client.get(f"/api/v1/imports/{told['id']}/"), "imports/{import_id}/", "get")
    assert (refused["state"], refused["bad_rows"]) == ("refused", 2)
    fetched = client.get(bad_rows)
    assert fetched["Content-Type"] == "application/x-ndjson"
    assert "attachment" in fetched["Content-Disposition"]
    rows = [json.loads(line) for line in fetched.getvalue().splitlines()]
    assert [(row["line"], bool(row["reason"])) for row in rows] == [(1, True), (2, True)]


def test_cancelling_twice_answers_the_same(study, client, root, as_described):
    write(root / "colours", prompts_with_videos(1, 2))
    told = client.post(imports_of(study), {"source": "server", "location": "colours"}, format="json").json()
    answers = [client.post(f"/api/v1/imports/{told['id']}/cancel/") for _ in range(2)]
    bodies = [as_described(answer, "imports/{import_id}/cancel/", "post") for answer in answers]
    assert bodies[0] == bodies[1]
    assert bodies[0]["state"] == "cancelled"


@pytest.mark.long
def test_uploads_by_a_program_from_beginning_to_end(study, researcher, api, tmp_path, as_described):
    client = api(None)
    token = issue_token(researcher, scopes=["manage", "read"])
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    told = client.post(imports_of(study), {"source": "upload"}, format="json").json()
    address = f"/api/v1/imports/{told['id']}"
    early = client.post(f"{address}/begin/")
    assert early.status_code == 409
    as_described(early, "imports/{import_id}/begin/", "post")
    folder = write(tmp_path / "mine", prompts_with_videos(1, 2))
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = base64.b64encode(path.relative_to(folder).as_posix().encode()).decode()
        announced = client.post(
            f"{address}/uploads/",
            headers={"Upload-Length": str(path.stat().st_size), "Upload-Metadata": f"filename {name}"},
        )
        assert announced.status_code == 201
        client.patch(
            announced["Location"],
            path.read_bytes(),
            content_type="application/offset+octet-stream",
            headers={"Upload-Offset": "0"},
        )
    begun = as_described(client.post(f"{address}/begin/"), "imports/{import_id}/begin/", "post")
    assert begun["state"] == "waiting"
    tasks.run_import(Import.objects.get().pk)
    assert client.get(f"{address}/").json()["report"]["videos"]["added"] == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "source"),
        ({"source": "elsewhere"}, "source"),
        ({"source": "server", "location": "/etc"}, "location"),
        ({"source": "server"}, "location"),
        ({"source": "upload", "location": "x"}, "location"),
        ({"source": "upload", "options": {"pairs": "random:0"}}, "options"),
        ({"source": "upload", "options": {"overlap": 0}}, "options"),
        ({"source": "upload", "options": {"nonsense": 1}}, "options"),
        ({"source": "upload", "options": {"command": True}}, "options"),
        ({"source": "upload", "options": {"seed": 2**70}}, ""),
        ({"source": "upload", "options": []}, "options"),
    ],
)
def test_what_cannot_be_asked_for(study, client, root, body, field):
    response = client.post(imports_of(study), body, format="json")
    assert response.status_code == 400
    if field:
        assert field in response.json()["fields"]
    assert not Import.objects.exists()


@pytest.mark.parametrize("role", ["annotator", "reviewer", "wellbeing_contact"])
def test_other_roles_see_no_imports(study, api, role):
    client = api(factories.member(study, role))
    assert client.get(imports_of(study)).status_code == 403
    job = Import.objects.create(study=study, source="upload", state="collecting")
    assert client.get(f"/api/v1/imports/{job.public_id}/").status_code == 403
    elsewhere = api(factories.member(factories.study(), "admin"))
    assert elsewhere.get(imports_of(study)).status_code == 404
    assert elsewhere.get(f"/api/v1/imports/{job.public_id}/").status_code == 404


def test_a_list_of_imports_is_two_queries_however_many(study, client, django_assert_max_num_queries):
    for _ in range(20):
        Import.objects.create(study=study, source="upload", state="collecting")
    with django_assert_max_num_queries(6):
        assert len(client.get(imports_of(study)).json()["imports"]) == 20
