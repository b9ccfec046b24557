"""Calls that schemathesis makes from the OpenAPI document: every operation, with several roles, right and wrong values.

Two of three calls are about rows that exist. No call may end in a server error, each refusal must be in the document,
and every other response must be as the document describes it.
"""

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
import schemathesis
from django.db import transaction
from django.urls import get_resolver, resolve
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core import NOT_SET
from schemathesis.core.transport import Response
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from accounts.tokens import SCOPES, issue_token
from diptych.document import document
from tests.documented import DocumentedClient
from tests.permission_rows import ALLOWED, MATRIX
from tests.world import World, Worlds, built, worlds

__all__ = ["built", "worlds"]

pytestmark = [pytest.mark.django_db, pytest.mark.long]

#: Calls of each operation with values that the document allows, and as many again with others.
EXAMPLES = 10
ROLES = ("admin", "researcher", "reviewer", "annotator")
BYTES = "application/offset+octet-stream"


def as_bytes(value: Any) -> bytes:
    """Return a generated body as bytes."""
    return value if isinstance(value, bytes) else str(value).encode()


schemathesis.serializer(BYTES)(lambda _context, value: as_bytes(value))


def names_by_path() -> dict[str, str]:
    """Return the names of the API's addresses by their paths in the document."""
    [api] = [entry for entry in get_resolver().url_patterns if getattr(entry, "namespace", None) == "api"]
    entries = (one for entry in api.url_patterns for one in getattr(entry, "url_patterns", [entry]))
    return {
        "/api/v1/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(entry.pattern)): f"api:{entry.name}" for entry in entries
    }


def send(client: DocumentedClient, case: schemathesis.Case, name: str) -> None:
    """Send a generated call. Raise if the response is a server error, or not as the document says."""
    body = b""
    if case.body is not NOT_SET:
        is_json = case.media_type == "application/json" and not isinstance(case.body, bytes)
        body = json.dumps(case.body).encode() if is_json else as_bytes(case.body)
    query = urlencode(case.query or {}, doseq=True, errors="replace")
    address = f"{case.formatted_path}?{query}" if query else case.formatted_path
    kind = case.media_type or "application/json"
    headers = {str(key): str(value) for key, value in (case.headers or {}).items()}
    response = client.generic(case.method, address, body, content_type=kind, headers=headers)
    content = b"".join(response.streaming_content) if response.streaming else response.content
    assert response.status_code < 500, (case.method, address, body, content)
    if response.status_code < 300 and resolve(response.request["PATH_INFO"]).view_name == name:
        sent = requests.Request(case.method, f"http://testserver{address}", data=body).prepare()
        named = {key.lower(): [value] for key, value in response.headers.items()}
        got = Response(response.status_code, named, content, sent, 0.0, False)
        case.validate_response(got, checks=[status_code_conformance, response_schema_conformance])


def call_often(operation: APIOperation, mode: GenerationMode, clients: list[DocumentedClient], known: Any) -> None:
    """Send generated calls of an operation. `known` has the parameters of rows that exist, and the name of the address.

    The first client is used for half of the calls.
    """
    name = known.pop("name")
    first, *others = clients

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(
        case=operation.as_strategy(generation_mode=mode),
        exists=st.sampled_from([True, True, False]),
        client=st.sampled_from([first] * len(others) + others),
    )
    def call(case: schemathesis.Case, exists: bool, client: DocumentedClient) -> None:
        if exists:
            case.path_parameters = {**(case.path_parameters or {}), **known}
        with transaction.atomic():
            send(client, case, name)
            transaction.set_rollback(True)

    call()


def clients_of(world: World) -> dict[str, DocumentedClient]:
    """Return a client with a token of each role of a world."""
    clients = {role: DocumentedClient(raise_request_exception=True) for role in ROLES}
    for role, client in clients.items():
        client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(world.people[role], scopes=SCOPES)}")
    return clients


def test_no_call_that_the_document_describes_is_a_server_error(worlds: Worlds) -> None:
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(document(), default=str)))
    schema.config.generation.with_security_parameters = False
    names, clients = names_by_path(), {world: clients_of(world) for world in worlds.made.values()}
    called = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        name = names[operation.path]
        world = worlds.of(name)
        _method, expected = MATRIX[name]
        in_order = sorted(ROLES, key=lambda role: expected[role] != ALLOWED)
        for mode in GenerationMode:
            if mode is GenerationMode.NEGATIVE and not (len(operation.query) or len(operation.body)):
                continue  # there is nothing but the path that could be wrong
            with transaction.atomic():
                existing = resolve(world.address(name, world.people[in_order[0]])).kwargs
                call_often(operation, mode, [clients[world][role] for role in in_order], existing | {"name": name})
                transaction.set_rollback(True)
        called.add(name)
    assert called == {name for name in MATRIX if name.startswith("api:")} - {"api:schema", "api:unknown"}
