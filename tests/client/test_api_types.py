"""The types, operations and methods of the client are those of the OpenAPI document."""

import ast
import inspect
import textwrap
import typing

import pytest

from diptych_client import api_types, client
from tests.client import api_types as written
from tests.documented import document

METHODS = {name: method for name, method in vars(client.Client).items() if not name.startswith("_")}
#: Methods that do something with the response of an operation, or are none.
OTHERS = {
    "close",
    "studies",
    "lots",
    "releases",
    "find_release",
    "wait_for_release",
    "read_file",
    "pull",
    "models",
    "scores",
}


def test_the_file_is_as_the_document_says():
    anew = "write it anew: .venv/bin/python -m tests.client.api_types"
    assert written.FILE.read_text() == written.expected(document()), anew


def test_a_changed_field_would_be_noticed():
    schemas = dict(document()["components"]["schemas"])
    properties = {name: value for name, value in schemas["StudyShape"]["properties"].items() if name != "slug"}
    schemas["StudyShape"] = schemas["StudyShape"] | {"properties": properties}
    assert written.FILE.read_text() != written.expected(document() | {"components": {"schemas": schemas}})


def test_every_operation_that_is_used_is_in_the_table():
    assert sorted(api_types.OPERATIONS) == written.used()
    assert "/api/v1/releases/{release_id}/files/{path}" in document()["paths"]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_documented(name):
    assert METHODS[name].__doc__
    assert name == "close" or f"`{name}`" in (written.ROOT / "docs/client.md").read_text()


def call_of(method):
    """Return the call of `_call` in a method."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
    [call] = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "self._call"]
    return call


@pytest.mark.parametrize("name", sorted(METHODS.keys() - OTHERS))
def test_every_method_sends_and_returns_what_its_operation_says(name):
    call, hints = call_of(METHODS[name]), typing.get_type_hints(METHODS[name])
    _method, path, operation = written.operations(document())[ast.literal_eval(call.args[0])]
    successful = [response for status, response in operation["responses"].items() if status < "300"]
    shapes = {shape for response in successful for shape in written.references(response)}
    assert shapes == ({hints["return"].__name__} if hints["return"] is not type(None) else set())
    assert {f"{{{word.arg}}}" for word in call.keywords} >= {part for part in path.split("/") if part.startswith("{")}
    sent = set(written.references(operation.get("requestBody")))
    if len(call.args) < 2:
        assert not sent
    elif isinstance(body := call.args[1], ast.Name) and body.id in hints:
        assert sent == {hints[body.id].__name__}
    elif isinstance(body, ast.Dict):
        [shape] = sent
        assert {key.value for key in body.keys} <= getattr(api_types, shape).__annotations__.keys()
