"""What the OpenAPI document says about every endpoint: its query parameters, and each refusal with its codes.

A view declares only what is its own: `query` (see `diptych.parameters`), and `refusals`. The latter maps a status, or a
method and a status, to codes. What all endpoints share is declared here.
"""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from diptych.api_groups import group_of
from diptych.parameters import DeclaredParameters


class ProblemShape(serializers.Serializer):
    """Every refusal."""

    detail = serializers.CharField(help_text="A sentence for a person")
    code = serializers.CharField(help_text="A word for programs")
    fields = serializers.DictField(  # type: ignore[assignment]  # the name of a property of serializers
        required=False, help_text="What is wrong with each field of the body, by name. Only with the code `invalid`"
    )


#: The refusals of every endpoint, by status. The 405 for another method is described once for all of them.
ALWAYS = {
    400: ("bad_request", "unknown_parameter"),
    406: ("not_acceptable",),
    503: ("locked", "database_away"),  # `diptych.try_again`
}
#: Only for endpoints that need a signed-in person.
SIGNED_IN = {
    401: ("not_authenticated", "authentication_failed"),
    403: ("permission_denied", "somebody_else", "password_change_required"),
}
#: Only for endpoints about one row.
OF_A_ROW = {404: ("not_found",)}
#: Only for endpoints with query parameters.
WITH_PARAMETERS = {400: ("invalid",)}
#: Only for endpoints with a body.
WITH_BODY = {400: ("parse_error", "invalid"), 411: ("length_required",), 413: ("too_large",)}
WITH_JSON = {415: ("unsupported_media_type",)}


class Schema(AutoSchema):
    """The description of an endpoint of `DeclaredParameters`."""

    def get_override_parameters(self) -> list[Any]:
        """Return what `extend_schema` names, and the declared query parameters."""
        declared = self.view.query.get(self.method) if isinstance(self.view, DeclaredParameters) else None
        return [*super().get_override_parameters(), *([declared] if declared else [])]

    def get_summary(self) -> str:
        """Return the title of the operation: the first line of its docstring, without the full stop."""
        return self._said()[0]

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular calls it without arguments
        """Return the rest of the docstring."""
        return self._said()[1]

    def _said(self) -> tuple[str, str]:
        title, _, about = super().get_description().partition("\n\n")
        return title.strip().removesuffix("."), about.strip()

    def get_tags(self) -> list[str]:
        """Return the group of operations to which this one belongs."""
        return [group_of(type(self.view)).name]

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Return the operation with the scope that a token needs, and all its refusals."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            if scope := getattr(self.view, "scopes", {}).get(self.method):
                operation["x-scope"] = scope
            for status, codes in sorted(self.refusals().items()):
                operation["responses"][str(status)] = self.refusal(codes)
        return operation

    def refusals(self) -> dict[int, tuple[str, ...]]:
        """Return the codes of the operation's refusals, by status."""
        parts: list[Mapping[int, tuple[str, ...]]] = [ALWAYS]
        if self.view.permission_classes and self.get_auth() != [{}]:
            parts.append(SIGNED_IN)
        if self.method in getattr(self.view, "query", {}):
            parts.append(WITH_PARAMETERS)
        if "{" in self.path:
            parts.append(OF_A_ROW)
        if self.method in {"POST", "PUT", "PATCH"}:
            parts.append(WITH_BODY)
        if self._get_request_body():
            parts.append(WITH_JSON)
        own = getattr(self.view, "refusals", {})
        parts.append({status: codes for status, codes in own.items() if isinstance(status, int)})
        parts.append({key[1]: codes for key, codes in own.items() if isinstance(key, tuple) and key[0] == self.method})
        found: dict[int, tuple[str, ...]] = {}
        for part in parts:
            for status, codes in part.items():
                found[status] = tuple(dict.fromkeys((*found.get(status, ()), *codes)))
        return found

    def refusal(self, codes: tuple[str, ...]) -> dict[str, Any]:
        """Return a response with one of these codes."""
        problem = self.resolve_serializer(ProblemShape, "response").ref
        code = {"type": "object", "properties": {"code": {"enum": list(codes)}}}
        described = ", ".join(f"`{code}`" for code in codes)
        return {
            "description": f"Refused: {described}",
            "content": {"application/json": {"schema": {"allOf": [problem, code]}}},
        }
