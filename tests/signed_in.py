"""Signing a person in without the form."""

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client

from accounts.models import User
from accounts.sessions import SessionStore


def session_key(person: User) -> str:
    """Make a session of a person, and return its key."""
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(person.pk), settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save(must_create=True)
    return str(session.session_key)


def sign_in(client: Client, person: User, _backend: str) -> None:
    """Sign a person in, as a browser that already has its session."""
    client.cookies[settings.SESSION_COOKIE_NAME] = session_key(person)
