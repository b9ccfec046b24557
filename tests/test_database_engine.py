"""A kept connection is checked before it is used, and replaced if the server has ended it."""

import psycopg
import pytest
from django.core.management import CommandError
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True)


def backend():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def elsewhere(statement, *values):
    """Return the only value of a statement's result, over another connection."""
    ours = connection.connection.info
    with psycopg.connect(ours.dsn, password=ours.password) as other:
        answered = other.execute(statement, values)
        return answered.fetchone()[0] if answered.description else None


def a_request_begins():
    connection.close_if_unusable_or_obsolete()
    connection.close_if_health_check_failed()


def test_a_connection_that_still_works_is_kept_without_asking_the_server():
    kept = backend()
    assert connection.is_usable()
    assert elsewhere("SELECT query FROM pg_stat_activity WHERE pid = %s", kept) == "SELECT pg_backend_pid()"
    a_request_begins()
    assert backend() == kept


def test_a_connection_that_the_server_has_ended_is_replaced():
    ended = backend()
    assert elsewhere("SELECT pg_terminate_backend(%s, 5000)", ended)
    assert not connection.is_usable()
    a_request_begins()
    assert backend() != ended


def test_unread_messages_of_the_server_do_not_end_the_connection():
    kept = backend()
    with connection.cursor() as cursor:
        cursor.execute("LISTEN something")
    elsewhere("NOTIFY something")
    assert connection.is_usable()
    assert backend() == kept
    with connection.cursor() as cursor:
        cursor.execute("UNLISTEN something")


def test_a_database_of_the_older_layout_is_not_migrated():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE catalog_study (id bigint)")
    try:
        with pytest.raises(CommandError, match="make demo-reset"):
            connection.prepare_database()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE catalog_study")
    connection.prepare_database()
