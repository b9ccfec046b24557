"""One statement reads a session and its person, and never somebody else's."""

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import sessions
from accounts.models import Session, User
from tests import factories

pytestmark = pytest.mark.django_db
STUDIES = "/api/v1/studies/"


def signed_in(person):
    client = Client()
    client.force_login(person, backend="accounts.backends.PersonBackend")  # as a password does
    return client


def test_one_statement_reads_a_session_and_its_person(annotator):
    client = signed_in(annotator)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(STUDIES).status_code == 200
    assert [query["sql"] for query in queries if "is_active" in query["sql"]] == [queries[0]["sql"]]
    assert "accounts_session" in queries[0]["sql"]


def test_two_people_in_turn_are_each_themselves(annotator):
    other = factories.person()
    clients = {person.pk: signed_in(person) for person in (annotator, other)}
    for person_id in [annotator.pk, other.pk, annotator.pk]:
        assert clients[person_id].get(STUDIES).wsgi_request.user.pk == person_id
    assert sessions.take_person(annotator.pk) is None  # the last request used it


def test_a_person_who_is_no_longer_active_is_nobody(annotator):
    client = signed_in(annotator)
    User.objects.filter(pk=annotator.pk).update(is_active=False)
    assert client.get(STUDIES).status_code == 401


def test_a_session_names_its_person_until_they_sign_out(annotator):
    client = signed_in(annotator)
    assert Session.objects.get(session_key=client.cookies[settings.SESSION_COOKIE_NAME].value).person == annotator
    client.logout()
    assert not Session.objects.exists()
