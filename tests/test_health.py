"""The health check of the web server says within a second whether the database replies, and nothing delays it."""

import threading
import urllib.request

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test import Client

from diptych import try_again
from tests.browser.conftest import cookies_of
from tests.holding import elsewhere, hung_database
from tests.web import answers, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def health(client=None):
    """Return the status of /healthz, or None if it does not come in time."""
    found = []
    asking = threading.Thread(target=lambda: found.append((client or Client()).get("/healthz").status_code))
    asking.start()
    asking.join(8)
    return found[0] if found else None


@pytest.mark.long
def test_a_database_that_hangs_is_reported_and_is_well_again_afterwards(annotator, browser_client):
    signed_in = browser_client(annotator)
    assert health() == 200
    with hung_database():
        assert health() == 503
        assert health(signed_in) == 503  # the session is not looked up
    wait_for(lambda: health() == 200, "the health check does not notice that the database is back")


def test_no_lock_makes_it_wait(annotator, browser_client):
    with elsewhere("LOCK TABLE accounts_user, accounts_session IN ACCESS EXCLUSIVE MODE"):
        assert health(browser_client_without_saving(annotator)) == 200


def browser_client_without_saving(person):
    client = Client()
    client.cookies["sessionid"] = "a" * 32
    return client


@pytest.mark.long
def test_after_the_database_ended_every_connection_the_next_page_is_served(server, annotator):
    [cookie] = cookies_of(annotator, server)

    def home():
        request = urllib.request.Request(server + "/", headers={"Cookie": f"{cookie['name']}={cookie['value']}"})
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status

    assert {home() for _ in range(20)} == {200}
    ours = connection.connection.info.backend_pid
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> %s AND application_name = 'diptych'",
            [ours],
        )
        assert cursor.fetchone()[0] > 0
    assert {home() for _ in range(20)} == {200}
    assert answers(f"{server}/healthz")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (psycopg.errors.LockNotAvailable(), "locked"),
        (psycopg.errors.DeadlockDetected(), "locked"),
        (psycopg.errors.AdminShutdown(), "database_away"),
        (psycopg.errors.CannotConnectNow(), "database_away"),
        (psycopg.OperationalError("connection refused"), "database_away"),
        (psycopg.InterfaceError("the connection is closed"), "database_away"),
        (psycopg.errors.UniqueViolation(), None),
        (psycopg.errors.QueryCanceled(), None),
        (ValueError(), None),
    ],
)
def test_only_errors_that_pass_by_themselves_get_try_again(error, code):
    found = try_again.temporary(error)
    assert (found and found.code) == code
    try:
        raise OperationalError from error
    except OperationalError as wrapped:
        found = try_again.temporary(wrapped)
    assert (found and found.code) == code


def test_a_page_that_needs_a_database_that_is_gone_says_try_again(annotator, browser_client, monkeypatch):
    client = browser_client(annotator)
    client.raise_request_exception = False

    def gone(*_arguments):
        raise OperationalError from psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("accounts.sessions.fetch_one", gone)
    response = client.get("/")
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert "The database cannot be reached at the moment." in response.content.decode()
    assert client.get("/api/v1/studies/").json()["code"] == "database_away"
