"""Sessions, read from the cache and kept in the database."""

from django.contrib.sessions.backends import cached_db

LONGEST_KEY = 40  # characters: the width of the column


class SessionStore(cached_db.SessionStore):
    """Django's, for keys of the form that Django makes: a cookie can hold characters that PostgreSQL refuses."""

    def _validate_session_key(self, key: str | None) -> bool:
        form = key and key.isascii() and key.isalnum() and len(key) <= LONGEST_KEY
        return bool(form and super()._validate_session_key(key))  # type: ignore[misc]
