"""The types and operations of the client are those of the OpenAPI document."""

import typing

import pytest

from diptych_client import api_types, client
from tests.client import api_types as written
from tests.documented import document


def test_the_file_is_as_the_document_says():
    anew = "write it anew: .venv/bin/python -m tests.client.api_types"
    assert written.FILE.read_text() == written.expected(document()), anew


def test_every_operation_that_is_used_is_in_the_table():
    assert sorted(api_types.OPERATIONS) == written.used()
    assert "/api/v1/releases/{release_id}/files/{path}" in document()["paths"]


#: Methods that are no single operation.
OTHERS = {"close", "find_release", "wait_for_release", "read_file", "pull"}


@pytest.mark.parametrize("name", [name for name in vars(client.Client) if not name.startswith("_")])
def test_every_method_is_documented_and_returns_a_type_of_the_document(name):
    method = getattr(client.Client, name)
    assert method.__doc__
    page = (written.ROOT / "docs/client.md").read_text()
    assert f"`{name}`" in page or name == "close"
    if name not in OTHERS:
        returned = typing.get_type_hints(method)["return"]
        shape = next(iter(typing.get_args(returned)), returned)
        assert shape is type(None) or shape.__module__ == api_types.__name__


def test_a_changed_field_would_be_noticed():
    changed = document() | {"components": {"schemas": dict(document()["components"]["schemas"])}}
    shape = changed["components"]["schemas"]["StudyShape"]
    properties = {name: value for name, value in shape["properties"].items() if name != "slug"}
    changed["components"]["schemas"]["StudyShape"] = shape | {"properties": properties}
    assert written.FILE.read_text() != written.expected(changed)
