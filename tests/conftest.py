"""What every test may use."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client, TransactionTestCase
from rest_framework.test import APIClient

from accounts.models import User
from tests import factories
from tests.delivering import bucket, nginx, object_server
from tests.documented import DocumentedClient
from tests.web import playable, playable_pairs, renditions, server

__all__ = ["bucket", "nginx", "object_server", "playable", "playable_pairs", "renditions", "server"]


@pytest.fixture(autouse=True, scope="session")
def _only_what_was_filled_is_emptied_between_tests() -> Iterator[None]:
    """After a transactional test Django truncates every table and makes permissions anew: most of a second."""
    tear_down = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda _case: empty_tables()
    yield
    TransactionTestCase._fixture_teardown = tear_down


@pytest.fixture(autouse=True, scope="session")
def _static_files_are_collected() -> None:
    """Pages name their scripts and styles by hash, as in production, so the files must be there."""
    call_command("collectstatic", interactive=False, verbosity=0)


#: Filled when the database is made, and the same for every test.
KEPT = {"django_migrations", "django_content_type", "auth_permission"}
LARGE_BYTES = 1 << 18


def empty_tables() -> None:
    """Deletes all rows that tests wrote. Neither foreign keys nor append-only tables object: triggers rest."""
    tables = set(connection.introspection.table_names()) - KEPT
    filled = " UNION ALL ".join(
        f"SELECT '{table}', pg_relation_size('{table}') WHERE EXISTS (SELECT FROM {table})" for table in tables
    )
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(filled)
        for table, size in cursor.fetchall():
            cursor.execute(f"DELETE FROM {table}")
            if size > LARGE_BYTES:  # so that the next test's plans and counters do not see what is gone
                cursor.execute(f"VACUUM {table}")
        cursor.execute("RESET session_replication_role")


@pytest.fixture
def study(db: None) -> Any:
    return factories.study()


@pytest.fixture
def annotator(study: Any) -> User:
    return factories.member(study, "annotator")


@pytest.fixture
def researcher(study: Any) -> User:
    return factories.member(study, "researcher")


@pytest.fixture
def api() -> Callable[[User | None], APIClient]:
    """An API client signed in as somebody; `api(None)` is nobody. The OpenAPI document must list what it is refused."""

    def signed_in(person: User | None) -> APIClient:
        client = DocumentedClient(enforce_csrf_checks=False)
        if person is not None:
            client.force_login(person)
        return client

    return signed_in


@pytest.fixture
def browser_client() -> Callable[[User], Client]:
    def signed_in(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return signed_in
