"""Real responses are compared with the OpenAPI document."""

import pytest
from jsonschema import Draft202012Validator

from diptych.document import document
from tests import factories

pytestmark = pytest.mark.django_db


def in_json_schema(node):
    """Return the schema with OpenAPI 3.0's `nullable` replaced by JSON Schema's types."""
    if isinstance(node, list):
        return [in_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: in_json_schema(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") else plain


@pytest.fixture
def matches():
    """Return a function that checks a response against the document's path, method and status."""

    def check(response, path, method):
        described = document()["paths"][path][method]["responses"][str(response.status_code)]
        schema = described["content"]["application/json"]["schema"]
        whole = in_json_schema(schema) | {"components": in_json_schema(document()["components"])}
        assert [error.message for error in Draft202012Validator(whole).iter_errors(response.json())] == []

    return check


def test_the_loop_answers_as_described(study, annotator, api, matches):
    factories.pairs(study, 3)
    client = api(annotator)
    lease = client.post(f"/api/v1/studies/{study.slug}/assignments/")
    matches(lease, "/api/v1/studies/{slug}/assignments/", "post")
    assignment = lease.json()["current"]["id"]
    renewed = client.post(f"/api/v1/assignments/{assignment}/renew/")
    matches(renewed, "/api/v1/assignments/{assignment_id}/renew/", "post")
    path, body = f"/api/v1/assignments/{assignment}/submit/", factories.body(lease_next=True)
    for _ in range(2):
        matches(client.post(path, body, format="json"), "/api/v1/assignments/{assignment_id}/submit/", "post")
    refused = client.post(path, {}, format="json")
    assert refused.status_code == 400
    matches(refused, "/api/v1/assignments/{assignment_id}/submit/", "post")


def test_coming_back_to_an_answer_answers_as_described(study, annotator, api, matches):
    factories.pair(study)
    address = f"/api/v1/assignments/{factories.answer(annotator, study).pk}"
    client = api(annotator)
    matches(client.get(f"{address}/reopen/"), "/api/v1/assignments/{assignment_id}/reopen/", "get")
    changed = {"video_0": {"tags": []}, "video_1": {"tags": []}, "overall": "video_1"}
    body = factories.body(reason="reopened", harmlessness=changed)
    for _ in range(2):
        response = client.post(f"{address}/revise/", body, format="json")
        matches(response, "/api/v1/assignments/{assignment_id}/revise/", "post")


@pytest.mark.long
def test_studies_answer_as_described(study, researcher, api, matches):
    client = api(researcher)
    matches(client.get("/api/v1/studies/"), "/api/v1/studies/", "get")
    matches(client.get(f"/api/v1/studies/{study.slug}/"), "/api/v1/studies/{slug}/", "get")


def test_the_document_is_served(client):
    assert b"openapi: 3" in client.get("/api/v1/schema/").content
