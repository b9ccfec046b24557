"""Recognise errors that say that a disk is full, and say it to a person."""

import errno
import sqlite3

from django.db import DatabaseError

#: The exit status of a command that found no room. 1 and 2 have other meanings.
EXIT_STATUS = 3
#: `code` of a refusal for want of room.
NO_ROOM = "no_room"

_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_POSTGRESQL_DISK_FULL = "53100"


def is_full(error: BaseException | None) -> bool:
    """Return whether the error, or one that it came of, says that there is no room on a disk or in a quota."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _NUMBERS:
            return True
        if isinstance(error, sqlite3.Error) and "disk is full" in str(error):
            return True
        if isinstance(error, DatabaseError) and getattr(error.__cause__, "sqlstate", "") == _POSTGRESQL_DISK_FULL:
            return True
        if getattr(error, "code", "") == NO_ROOM:
            return True
        error = error.__cause__
    return False


def sentence(error: BaseException) -> str:
    """Return what the command says of an error for which `is_full` holds."""
    said = str(error).strip().rstrip(".")
    return f"There is no room left on the disk: {said}. Make room, and run the command again."
