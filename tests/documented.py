"""A client that compares every refusal of the API with the OpenAPI document."""

import re
from typing import Any

from django.urls import Resolver404, resolve
from rest_framework.test import APIClient

from diptych.document import document


def described(route: str, method: str) -> dict[str, Any] | None:
    """Return what the document says about a method at a route of the URL configuration, or None if it has none."""
    path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
    return document()["paths"].get(path, {}).get("get" if method == "HEAD" else method.lower())


def codes_of(refusal: dict[str, Any]) -> list[str]:
    """Return the codes that a described refusal can have."""
    _problem, code = refusal["content"]["application/json"]["schema"]["allOf"]
    return code["properties"]["code"]["enum"]


def undocumented(response: Any, method: str) -> str:
    """Return how a refusal differs from the document, or nothing. Other responses are not checked."""
    if response.status_code < 400 or response.status_code == 500:  # an error of our own is no refusal
        return ""
    try:
        match = resolve(response.request["PATH_INFO"])
    except Resolver404:
        return ""
    if match.namespace != "api":
        return ""
    operation = described(match.route, method)
    if operation is None:
        return ""
    refusal = operation["responses"].get(str(response.status_code))
    if refusal is None:
        return f"{method} {match.route}: {response.status_code} is not in the document"
    if method == "HEAD":
        return ""
    code = response.json()["code"]
    if code not in codes_of(refusal):
        return f"{method} {match.route}: {response.status_code} with the code {code} is not in the document"
    return ""


class DocumentedClient(APIClient):
    """DRF's client. A refusal that the document does not list fails the test."""

    def request(self, **values: Any) -> Any:
        response = super().request(**values)
        wrong = undocumented(response, values["REQUEST_METHOD"])
        assert not wrong, wrong
        return response
