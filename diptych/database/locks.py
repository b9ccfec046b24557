"""PostgreSQL's advisory locks: every key that the product uses, and the only functions that take one.

A key names what is locked. A second number names the row, such as the id of a study, or is 0 for the whole
installation. Requests wait for a lock for at most `LOCK_WAIT_MS` (see `diptych.wsgi`); workers and commands wait until
they get it. `tests/test_locks.py` checks that no other module asks PostgreSQL for an advisory lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum, unique
from typing import Any

from django.db import DatabaseError, InterfaceError, connection


@unique
class Key(IntEnum):
    """The keys of advisory locks. Two keys must never have the same number: they would wait for each other."""

    #: Only one import at a time writes into a study. The second number is the study's id.
    IMPORT_INTO_STUDY = 7_301
    #: Original files are in storage, and no row names them yet.
    UNNAMED_FILES = 7_302
    #: New people are being numbered.
    NUMBER_PEOPLE = 7_303
    #: Rows are being copied into a file for a download. The second number is the place among the few that exist.
    DOWNLOAD = 7_304
    #: A lot of a study is being numbered. The second number is the study's id.
    NUMBER_LOTS = 7_305
    #: The answers of a study are being added up. The second number is the study's id.
    ADD_UP_ANSWERS = 7_306
    #: A release of a study is numbered, its items are written, or something is withdrawn from releases. The second
    #: number is the study's id.
    RELEASES = 7_307
    #: The versions of a family of models are being compared. The second number is the family's id.
    DECIDE_MODELS = 7_308
    #: The figures for the page of a model version are being made. The second number is the version's id.
    MODEL_DETAILS = 7_310


def lock(key: Key, row: int = 0) -> None:
    """Wait for the lock, and keep it until the transaction ends."""
    _ask("SELECT pg_advisory_xact_lock(%s, %s)", key, row)


def try_lock(key: Key, row: int = 0) -> bool:
    """Take the lock until the transaction ends, if it is free. Return whether it was."""
    return bool(_ask("SELECT pg_try_advisory_xact_lock(%s, %s)", key, row))


@contextmanager
def shared(key: Key, row: int = 0) -> Iterator[None]:
    """Hold the lock together with others who share it, on the connection and not in a transaction.

    It may be held for hours. It ends with the block, or with the connection.
    """
    _ask("SELECT pg_advisory_lock_shared(%s, %s)", key, row)
    try:
        yield
    finally:
        with suppress(DatabaseError, InterfaceError):  # when the connection is lost, so is the lock
            _ask("SELECT pg_advisory_unlock_shared(%s, %s)", key, row)


@contextmanager
def try_exclusive(key: Key, row: int = 0) -> Iterator[bool]:
    """Hold the lock exclusively, on the connection, if nobody has or shares it. Yield whether it is held."""
    held = bool(_ask("SELECT pg_try_advisory_lock(%s, %s)", key, row))
    try:
        yield held
    finally:
        if held:
            _ask("SELECT pg_advisory_unlock(%s, %s)", key, row)


def _ask(query: str, key: Key, row: int) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, [int(key), row])
        return cursor.fetchone()[0]
