"""Refusals that pass by themselves: the request is answered at once with 429 or 503 and says when to try again."""

import psycopg
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: SQLSTATE of errors after which the database itself is well: a lock that was not free in time, and a deadlock.
LOCKED = {"55P03", "40P01"}
#: SQLSTATE of errors that say that the server stops, starts, or takes no more connections.
AWAY = {"57P01", "57P02", "57P03", "53300"}


class TryAgain(Exception):
    """Raised where a request cannot be served now but can be in a moment.

    Subclasses say the HTTP status, the code for programs, and two sentences for people: what is wrong, and what to do.
    """

    status = 503
    code = "try_again"
    title: str | Promise = ""
    advice: str | Promise = ""

    def __init__(self, retry_after_s: int = 2) -> None:
        super().__init__(str(self.title))
        self.retry_after_s = retry_after_s


class Locked(TryAgain):
    """Another request, an import or a sweep holds what this request has to change."""

    code = "locked"
    title = _("Somebody else is changing the same data.")
    advice = _("Your request was not carried out. Wait a few seconds, then try again.")


class DatabaseAway(TryAgain):
    """The database stops, starts, or cannot be reached."""

    code = "database_away"
    title = _("The database cannot be reached at the moment.")
    advice = _("Wait a few seconds, then try again. What was saved before is not lost.")


def temporary(error: BaseException | None) -> TryAgain | None:
    """Return what the person is told if `error` passes by itself, or None if it does not."""
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
        return Locked()
    # Without a SQLSTATE the error comes from this side: the connection was refused, was lost, or is closed.
    lost = not state and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return DatabaseAway() if lost or state in AWAY or state.startswith("08") else None
