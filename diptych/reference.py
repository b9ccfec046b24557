"""The reference page of the API: the OpenAPI document in the words and the look of the other pages.

It is rendered on the server. Swagger UI and Redoc need a megabyte of script each and a weaker content security policy,
and they fail the accessibility checks that every page must pass.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from diptych.api_examples import curl
from diptych.api_groups import GROUPS, Group
from diptych.document import document

Node = dict[str, Any]
#: A choice in the description of a field that says nothing but its key: “* `draft` - draft”.
ONLY_A_KEY = re.compile(r"\* `(.*?)` -(?: \1)?")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body or one parameter: its type in words, and the shape that it refers to, if any."""

    name: str
    type: str
    shape: str
    required: bool
    about: str


@dataclass(frozen=True, slots=True)
class Result:
    """A possible response of an operation: a status with its shape, or with the codes of a refusal."""

    status: str
    about: str
    shape: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one address."""

    key: str
    method: str
    path: str
    title: str
    about: str
    scope: str
    #: A call with curl: what comes before and after the address of the server.
    call: tuple[str, str]
    parameters: tuple[Field, ...]
    body: str
    results: tuple[Result, ...]
    refusals: tuple[Result, ...]


@require_safe
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """Return the page. It contains nothing about any study, so everybody may read it."""
    groups, shapes = contents()
    server = request.build_absolute_uri("/").removesuffix("/")
    return render(request, "reference.html", {"groups": groups, "shapes": shapes, "server": server})


@cache
def contents() -> tuple[list[tuple[Group, list[Operation]]], dict[str, list[Field]]]:
    """Return the groups with their operations, and the fields of each shape that they refer to."""
    shapes = document()["components"]["schemas"]
    by_group: dict[str, list[Operation]] = {}
    for path, methods in document()["paths"].items():
        for method, node in methods.items():
            by_group.setdefault(node["tags"][0], []).append(_operation(path, method, node, shapes))
    groups = [(group, by_group[group.name]) for group in GROUPS if group.name in by_group]
    return groups, {name: _fields(shape) for name, shape in sorted(shapes.items())}


def _operation(path: str, method: str, node: Node, shapes: Node) -> Operation:
    body = _schema_of(node.get("requestBody", {}))
    results = [_result(status, response) for status, response in node["responses"].items()]
    return Operation(
        key=node["operationId"],
        method=method.upper(),
        path=path,
        title=node["summary"],
        about=node.get("description", ""),
        scope=node.get("x-scope", ""),
        call=curl(path, method, node, shapes),
        parameters=tuple(
            Field(one["name"], _type(one["schema"]), "", one.get("required", False), _about(one))
            for one in node.get("parameters", [])
        ),
        body=_shape(body),
        results=tuple(result for result in results if not result.codes),
        refusals=tuple(result for result in results if result.codes),
    )


def _result(status: str, response: Node) -> Result:
    schema = _schema_of(response)
    parts = schema.get("allOf", [])
    codes = tuple(code for part in parts for code in part.get("properties", {}).get("code", {}).get("enum", ()))
    return Result(status, "" if codes else response["description"], "" if codes else _shape(schema), codes)


def _schema_of(carrier: Node) -> Node:
    """Return the schema of a body or a response, of its first media type. The result is empty if there is none."""
    kinds: list[Node] = list(carrier.get("content", {}).values())
    schema: Node = kinds[0].get("schema", {}) if kinds else {}
    return schema


def _fields(shape: Node) -> list[Field]:
    required = shape.get("required", ())
    fields = [
        Field(name, _type(node), _shape(node), name in required, _about(node))
        for name, node in shape.get("properties", {}).items()
    ]
    return fields or [Field("", _type(shape), "", True, _about(shape).partition("\n")[0])]


def _shape(node: Node) -> str:
    """Return the name of the shape that a node refers to, itself or as the kind of its items."""
    for inner in (node, node.get("items", {}), *node.get("allOf", ()), *node.get("oneOf", ())):
        if "$ref" in inner:
            return str(inner["$ref"]).rpartition("/")[2]
    return ""


def _about(node: Node) -> str:
    """Return the description of a field, without choices that only repeat their own key."""
    lines = str(node.get("description", "")).split("\n")
    return "\n".join(line for line in lines if not ONLY_A_KEY.fullmatch(line.strip())).strip()


def _type(node: Node) -> str:
    """Return the type of a value in the words of JSON Schema."""
    if "enum" in node:
        return " | ".join(f"“{value}”" for value in node["enum"] if value is not None)
    if node.get("type") == "array":
        return f"array of {_type(node['items'])}"
    name = str(node.get("format") or node.get("type") or _shape(node) or "any")
    limits = [f"{sign} {node[key]}" for key, sign in (("minimum", "≥"), ("maximum", "≤")) if key in node]
    return " ".join([name, *limits, *(["or null"] if node.get("nullable") else [])])
