"""Fixtures and settings for all tests."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client, TransactionTestCase
from django.test.client import ClientHandler
from rest_framework.test import APIClient

from accounts.models import User
from tests import factories, first_database
from tests.delivering import bucket, nginx, object_server
from tests.documented import DocumentedClient
from tests.signed_in import sign_in
from tests.web import playable, playable_pairs, renditions, server

__all__ = ["bucket", "nginx", "object_server", "playable", "playable_pairs", "renditions", "server"]


#: Files that come first: those that need no database, while it is made, and then those that take long, so that a run
#: does not end with one of them.
FIRST_FILES = (
    "tests/media/test_transcode.py",
    "tests/embedded/",
    "tests/statistics/",
    "tests/test_hostile_input.py",
    "tests/browser/test_pages.py",
    "tests/test_permissions.py",
    "tests/annotation/test_interleavings.py",
    "tests/annotation/test_accepted_by_state.py",
    "tests/test_page_titles.py",
    "tests/test_headers.py",
    "tests/browser/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that come first there."""
    items.sort(key=lambda item: next((n for n, path in enumerate(FIRST_FILES) if item.nodeid.startswith(path)), 99))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Keep the garbage collector from looking at the tests themselves, which exist until the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Let each of several workers copy the database that the run has made."""
    if made := os.environ.get("FIRST_DATABASE"):
        first_database.copied(connection.settings_dict["TEST"], Path(made))


@pytest.fixture(autouse=True, scope="session")
def _only_what_was_filled_is_emptied_between_tests() -> Iterator[None]:
    """Empty only the tables that were filled after a transactional test.

    Django truncates every table and makes permissions again, which takes most of a second.
    """
    tear_down = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda _case: empty_tables()
    yield
    TransactionTestCase._fixture_teardown = tear_down


@pytest.fixture(autouse=True, scope="session")
def _static_files_are_collected() -> None:
    """Collect the static files.

    Pages name their scripts and styles by hash, as in production, so the files must exist.
    """
    if made := os.environ.get("FIRST_DATABASE"):
        first_database.copy_static_files(Path(settings.STATIC_ROOT), Path(made))
        return
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(autouse=True, scope="session")
def _middleware_is_made_once() -> Iterator[None]:
    """Make the middleware once for all test clients, except where a test changes a setting.

    A new client makes it at its first request. That takes 30 ms, because WhiteNoise looks at every static file.
    """
    unchanged, load = settings._wrapped, ClientHandler.load_middleware
    made: dict[str, object] = {}

    def load_once(handler: ClientHandler, is_async: bool = False) -> None:
        if settings._wrapped is not unchanged:
            load(handler, is_async)
        elif made:
            vars(handler).update(made)
        else:
            load(handler, is_async)
            made.update(
                {name: value for name, value in vars(handler).items() if name.endswith(("middleware", "chain"))}
            )

    ClientHandler.load_middleware = load_once
    yield
    ClientHandler.load_middleware = load


@pytest.fixture(autouse=True, scope="session")
def _signing_in_takes_one_session() -> Iterator[None]:
    """Let `force_login` write a session and nothing else.

    A whole sign-in takes 30 ms: it makes two sessions and looks for failed attempts. Tests of signing in use the form.
    """
    login = Client._login
    Client._login = sign_in
    yield
    Client._login = login


#: Filled when the database is made, and equal for every test.
KEPT = {"django_migrations", "django_content_type", "auth_permission"}
LARGE_BYTES = 1 << 18


def empty_tables() -> None:
    """Delete all rows that tests wrote. Triggers are off, so foreign keys and append-only tables do not prevent it."""
    tables = set(connection.introspection.table_names()) - KEPT
    filled = " UNION ALL ".join(
        f"SELECT '{table}', pg_relation_size('{table}') WHERE EXISTS (SELECT FROM {table})" for table in tables
    )
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(filled)
        for table, size in cursor.fetchall():
            cursor.execute(f"DELETE FROM {table}")
            if size > LARGE_BYTES:  # so that the next test's plans and counters are not affected by deleted rows
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
    """Return an API client that is signed in as a person; `api(None)` is signed in as nobody.

    The OpenAPI document must list every refusal that it gets.
    """

    def client_of(person: User | None) -> APIClient:
        client = DocumentedClient(enforce_csrf_checks=False)
        if person is not None:
            client.force_login(person)
        return client

    return client_of


@pytest.fixture
def browser_client() -> Callable[[User], Client]:
    def client_of(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return client_of
