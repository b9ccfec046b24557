"""Recognise errors that say that a disk is full, and put them into words."""

import errno
import sqlite3

from django.db import DatabaseError

#: The exit status of a command that found the disk full. 1 and 2 have other meanings.
EXIT_STATUS = 3
#: `code` of a refusal because the disk is full.
NO_ROOM = "no_room"

_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_POSTGRESQL_DISK_FULL = "53100"


def is_full(error: BaseException) -> bool:
    """Return whether the error, or one that caused it, says that a disk or a quota is full."""
    return any(_says_full(one) for one in _with_causes(error))


def _with_causes(error: BaseException | None) -> list[BaseException]:
    """Return the error and what it was raised from. An error may have been raised from itself."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__
    return found


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NUMBERS
    if isinstance(error, sqlite3.Error):
        return "disk is full" in str(error)
    if isinstance(error, DatabaseError):
        return getattr(error.__cause__, "sqlstate", "") == _POSTGRESQL_DISK_FULL
    return getattr(error, "code", "") == NO_ROOM


def sentence(error: BaseException) -> str:
    """Return the sentence that a command prints for an error for which `is_full` is true."""
    said = str(error).strip().rstrip(".")
    return f"The disk is full: {said}. Free some space, and run the command again."
