"""What is said to a person, or to a program, whose wish is refused: one base class, with a code and a sentence.

A view catches a refusal only if it has something better to show than a page: `diptych.middleware`, and for the API
`diptych.rendering.problem`, turn it into the right response. A subclass is only for what somebody catches apart from
other refusals.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise


class Refused(Exception):
    """What was asked for cannot be done, and nothing was changed.

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
    """What was given cannot be used. `field` names the field of the request that is wrong, if it is one field."""

    status = 400
    code = "invalid"

    def __init__(self, sentence: str | Promise, code: str = "", *, status: int = 0, field: str = "") -> None:
        super().__init__(sentence, code, status=status)
        self.field = field


class NotThere(Refused):
    """What was asked for does not exist."""

    status = 404
    code = "not_found"


class ChangedMeanwhile(Refused):
    """Somebody else changed the same thing first. `present` is what stands now, by name, if that can be shown."""

    code = "changed_meanwhile"

    def __init__(self, sentence: str | Promise, code: str = "", *, present: Mapping[str, Any] | None = None) -> None:
        super().__init__(sentence, code)
        self.present = dict(present or {})
