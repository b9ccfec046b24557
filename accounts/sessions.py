"""Sessions in the database. One hand-written query reads a session and its person, because every request runs it."""

from contextvars import ContextVar
from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db

from accounts.models import Session, User
from diptych.database.fixed import Columns, fetch_one

LONGEST_KEY = 40  # characters: the width of the column
PERSON = Columns(User, "person")
LIVE = f"""
SELECT session.session_data, {PERSON.sql}
  FROM accounts_session session LEFT JOIN accounts_user person ON person.id = session.person_id AND person.is_active
 WHERE session.session_key = %(key)s AND session.expire_date > now()
"""  # noqa: S608 - of column names

#: The person of the session that was read last. `take_person` resets it.
_read_with_session: ContextVar[User | None] = ContextVar("read_with_session", default=None)


def take_person(person_id: int) -> User | None:
    """Return the active person who was just read with their session. Return None if that was somebody else.

    Each result can be used only once, so nobody gets a person who was read for an earlier request.
    """
    person = _read_with_session.get()
    _read_with_session.set(None)
    return person if person is not None and person.pk == person_id else None


class SessionStore(db.SessionStore):
    """Django's sessions, limited to keys of Django's form. A cookie can contain characters that PostgreSQL refuses."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def load(self) -> dict[str, Any]:
        """Return the data of the session. If the session has ended, return nothing and forget the key."""
        row = fetch_one(LIVE, {"key": self.session_key})
        if row is None:
            self._session_key = None
            return {}
        _read_with_session.set(PERSON.instance(row, start=1) if row[1] is not None else None)
        return self.decode(row[0])

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Return the session's row, with the person who is signed in."""
        row = cast("Session", super().create_model_instance(data))
        row.person_id = data.get(SESSION_KEY)
        return row

    def _validate_session_key(self, key: str | None) -> bool:
        form = key and key.isascii() and key.isalnum() and len(key) <= LONGEST_KEY
        return bool(form and super()._validate_session_key(key))  # type: ignore[misc]
