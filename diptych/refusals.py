"""Refusals: exceptions that say, with a code and a sentence, why a request is refused.

A view catches a refusal only if it can show something better than an error page. `diptych.middleware`, and for the API
`diptych.rendering.problem`, turn it into the right response. Define a subclass only if some code must catch it apart
from other refusals.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise


class Refused(Exception):
    """The request cannot be carried out, and nothing was changed.

    Attributes:
        sentence: what went wrong and what to do, for a person. It is also `str()` of the exception.
        code: a word for programs.
        status: the HTTP status of the response.
    """

    status = 409
    code = "refused"

    def __init__(self, sentence: str | Promise, code: str = "", *, status: int = 0) -> None:
        super().__init__(sentence)
        self.code = code or type(self).code
        self.status = status or type(self).status

    @property
    def sentence(self) -> str:
        return str(self)


class BadInput(Refused):
    """The input cannot be used. `field` names the wrong field of the request, if it is one field."""

    status = 400
    code = "invalid"

    def __init__(self, sentence: str | Promise, code: str = "", *, status: int = 0, field: str = "") -> None:
        super().__init__(sentence, code, status=status)
        self.field = field


class NotThere(Refused):
    """The requested thing does not exist."""

    status = 404
    code = "not_found"


class ChangedMeanwhile(Refused):
    """Someone else changed the same thing first. `present` has its current values, by name, if they can be shown."""

    code = "changed_meanwhile"

    def __init__(self, sentence: str | Promise, code: str = "", *, present: Mapping[str, Any] | None = None) -> None:
        super().__init__(sentence, code)
        self.present = dict(present or {})
