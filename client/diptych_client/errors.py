"""What a person is told when something cannot be done."""

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """Something cannot be done. `str()` of it says what went wrong, where, and what to do.

    Attributes:
        code: a word for programs: that of the server's refusal, or one of this package, such as `unreachable`.
        status: the HTTP status of the refusal; 0 if no server refused.
        fields: of a request that is wrong, the sentences by field.
    """

    def __init__(self, sentence: str, code: str, *, status: int = 0, fields: Mapping[str, Any] | None = None) -> None:
        super().__init__(sentence)
        self.code, self.status, self.fields = code, status, dict(fields or {})
