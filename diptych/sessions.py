"""Sessions, read from the cache and kept in the database."""

from django.contrib.sessions.backends import cached_db


class SessionStore(cached_db.SessionStore):
    """Django's, for keys of the form that Django makes: a cookie can hold characters that PostgreSQL refuses."""

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key and key.isascii() and key.isalnum() and super()._validate_session_key(key))  # type: ignore[misc]
