"""Hash one password at a time in each process: docs/decisions/020-one-password-hash-at-a-time.md.

A hash is slow and takes 100 MB on purpose, and anybody can trigger one by signing in with an invented name. A few
such requests at the same time would take processors and threads from everybody else.
"""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils.translation import gettext as _

from diptych.try_again import TryAgain

#: Whether this thread serves a request. Commands and workers may hash several passwords at a time.
in_request: ContextVar[bool] = ContextVar("in_request", default=False)

#: Locked while a request hashes. The thread that has the lock may acquire it again.
_turn = threading.RLock()


@contextmanager
def turn() -> Iterator[None]:
    """Reserve the hashing of this process for one request. Raises TryAgain immediately if another request has it."""
    if not in_request.get():
        yield
        return
    if not _turn.acquire(blocking=False):
        raise TryAgain(
            _("Several people are signing in at this moment, so your password was not checked yet."),
            _("Try again in a few seconds."),
            "busy",
            status=429,
            retry_after_s=random.randint(1, 3),  # noqa: S311 - people should not all try again at once
        )
    try:
        yield
    finally:
        _turn.release()


class Argon2Hasher(Argon2PasswordHasher):
    """Django's hasher. In a request it raises TryAgain while another request hashes."""

    #: Django's default of 8 would start eight threads that compete with the threads that serve people.
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with turn():
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        with turn():
            return bool(super().verify(password, encoded))
