"""Password hashes, one at a time a process: docs/decisions/020-one-password-hash-at-a-time.md.

A hash is slow and takes 100 MB on purpose, and anybody may ask for one by signing in with an invented name. If hashes
ran beside each other, a few such requests would take the processors and the threads from everybody who is at work.
"""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils.translation import gettext as _

from diptych.try_again import TryAgain

#: Whether this thread serves a request. Commands and workers hash as many at a time as they like.
in_request: ContextVar[bool] = ContextVar("in_request", default=False)

#: Held while a request hashes. The thread that holds it may take it again.
_turn = threading.RLock()


@contextmanager
def turn() -> Iterator[None]:
    """Keep all hashing of this process for one request. Raises TryAgain at once if another request has it."""
    if not in_request.get():
        yield
        return
    if not _turn.acquire(blocking=False):
        raise TryAgain(
            _("Several people are signing in at this moment, so your password was not checked yet."),
            _("Try again in a few seconds."),
            "busy",
            status=429,
            retry_after_s=random.randint(1, 3),  # noqa: S311 - so that not everybody comes back at once
        )
    try:
        yield
    finally:
        _turn.release()


class Argon2Hasher(Argon2PasswordHasher):
    """Django's hasher. In a request it raises TryAgain instead of running beside another one."""

    #: Django's 8 would be eight threads, each with as much right to a processor as a thread that serves people.
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with turn():
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        with turn():
            return bool(super().verify(password, encoded))
