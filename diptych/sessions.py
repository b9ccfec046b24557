"""Sessions in the database, read by one statement that is written by hand: every request of a browser runs it."""

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session

from diptych.database.fixed import fetch_one

LONGEST_KEY = 40  # characters: the width of the column
LIVE = f"SELECT session_data FROM {Session._meta.db_table} WHERE session_key = %(key)s AND expire_date > now()"  # noqa: S608


class SessionStore(db.SessionStore):
    """Django's sessions, for keys of the form that Django makes: a cookie can hold characters PostgreSQL refuses."""

    def load(self) -> dict[str, Any]:
        """Return what the session holds; nothing, and no key, if it has ended."""
        row = fetch_one(LIVE, {"key": self.session_key})
        if row is None:
            self._session_key = None
            return {}
        return self.decode(row[0])

    def _validate_session_key(self, key: str | None) -> bool:
        form = key and key.isascii() and key.isalnum() and len(key) <= LONGEST_KEY
        return bool(form and super()._validate_session_key(key))  # type: ignore[misc]
