"""JSON in and out of the API, with one shape for every error."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from diptych import strict_json
from diptych.refusals import BadInput, Refused
from diptych.try_again import TryAgain


class ORJSONRenderer(BaseRenderer):
    """A renderer of `application/json`."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=str, option=orjson.OPT_NON_STR_KEYS)


#: The largest body that any endpoint accepts. The largest possible submission is a tenth of it.
MOST_BYTES = 256 * 1024


class StrictJSONParser(BaseParser):
    """A parser of `application/json`: one object of bounded length, without values that the database cannot store."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            sentence = f"The request body is longer than {MOST_BYTES // 1024} kB."
            raise Refused(sentence, "too_large", status=413)
        try:
            parsed, faults = strict_json.loads(body.decode("utf-8-sig")) if body else ({}, [])
        except UnicodeDecodeError as error:
            raise ParseError(f"The request body is not UTF-8: byte {error.start + 1} is wrong.") from error
        except ValueError as error:
            raise ParseError(f"The request body is not valid JSON: {error}.") from error
        if not isinstance(parsed, dict):
            raise ParseError("The request body must be a JSON object.")
        if faults:
            field, reason = faults[0]
            raise ParseError(
                f"The request body cannot be stored as it is: the field “{field[:LONGEST_NAME]}” {reason}."
            )
        if is_too_deep(parsed):
            raise ParseError(f"The request body is nested more than {DEEPEST} levels deep.")
        return parsed


DEEPEST = 16
LONGEST_NAME = 100


def is_too_deep(parsed: Any) -> bool:
    """Return whether a parsed body is nested more deeply than the database should store it."""
    level = [parsed]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner += value.values()
            elif isinstance(value, list):
                inner += value
        if not inner:
            return False
        level = inner
    return True


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return every refusal as `{"detail": sentence, "code": word, "fields": {name: [sentence, …]}}`.

    Only a 400 has fields. The result is JSON even if the endpoint otherwise responds in another format.
    """
    # Views import this module while the REST framework reads its settings.
    from rest_framework.views import exception_handler

    if isinstance(error, TryAgain):
        return None  # `diptych.middleware` logs it
    response = refused(error) if isinstance(error, Refused) else exception_handler(error, context)
    if response is None:
        return None
    request = context["request"]
    request.accepted_renderer, request.accepted_media_type = ORJSONRenderer(), ORJSONRenderer.media_type
    if isinstance(error, ValidationError):
        response.data = of_fields(error.detail if isinstance(error.detail, dict) else {"": error.detail})
    elif not isinstance(error, Refused):
        detail = response.data["detail"]
        response.data = {"detail": str(detail), "code": getattr(detail, "code", "error")}
    return response


def refused(error: Refused) -> Response:
    """Return the response for one of our own refusals."""
    if isinstance(error, BadInput) and error.field:
        return Response(of_fields({error.field: [error.sentence]}), status=error.status)
    return Response({"detail": error.sentence, "code": error.code}, status=error.status)


def of_fields(wrong: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sentence about fields that are wrong, and the sentences of each field."""
    detail = "Some fields are missing or wrong. “fields” names each of them."
    return {"detail": detail, "code": "invalid", "fields": wrong}
