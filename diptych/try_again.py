"""Refusals that pass by themselves. The response is sent immediately, with 429 or 503 and the time to try again."""

import psycopg
from django.utils.translation import gettext as _

from diptych.refusals import Refused

#: SQLSTATE of errors after which the database works normally: a lock that was not free in time, and a deadlock.
LOCKED = {"55P03", "40P01"}
#: SQLSTATE of errors that say that the server is stopping, is starting, or accepts no more connections.
AWAY = {"57P01", "57P02", "57P03", "53300"}


class TryAgain(Refused):
    """The request cannot be served now, but it can be in a moment.

    Attributes:
        title: what is wrong.
        advice: what to do.
        retry_after_s: after how many seconds the client can ask again.
    """

    def __init__(self, title: str, advice: str, code: str, *, status: int = 503, retry_after_s: int = 2) -> None:
        super().__init__(f"{title} {advice}", code, status=status)
        self.title, self.advice, self.retry_after_s = title, advice, retry_after_s


def temporary(error: BaseException | None) -> TryAgain | None:
    """Return what to tell the person if `error` passes by itself, or None if it does not."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, TryAgain):
            return error
        if isinstance(error, psycopg.Error):
            return _of_database(error)
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


def _of_database(error: psycopg.Error) -> TryAgain | None:
    state = error.sqlstate or ""
    if state in LOCKED:
        # Another request, an import or a sweep has locked what this request has to change.
        return TryAgain(
            _("Someone else is changing the same data."),
            _("Your request was not carried out. Wait a few seconds, then try again."),
            "locked",
        )
    # Without a SQLSTATE the error comes from this side: the connection was refused, was lost, or is closed.
    lost = not state and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    if not (lost or state in AWAY or state.startswith("08")):
        return None
    return TryAgain(
        _("The database cannot be reached at the moment."),
        _("Wait a few seconds, then try again. What was saved before is not lost."),
        "database_away",
    )
