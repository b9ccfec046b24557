"""What every test may use."""

from collections.abc import Callable, Iterator
from typing import Any

import pgtrigger
import pytest
from django.core.management import call_command
from django.test import Client, TransactionTestCase
from rest_framework.test import APIClient

from accounts.models import User
from tests import factories
from tests.delivering import bucket, nginx, object_server
from tests.web import playable, playable_pairs, renditions, server

__all__ = ["bucket", "nginx", "object_server", "playable", "playable_pairs", "renditions", "server"]


@pytest.fixture(autouse=True, scope="session")
def _emptying_tables_between_tests_is_not_refused() -> Iterator[None]:
    """Django truncates every table after a transactional test; append-only ones refuse that unless told."""
    tear_down = TransactionTestCase._fixture_teardown

    def with_triggers_ignored(case: TransactionTestCase) -> None:
        with pgtrigger.ignore():
            tear_down(case)

    TransactionTestCase._fixture_teardown = with_triggers_ignored
    yield
    TransactionTestCase._fixture_teardown = tear_down


@pytest.fixture(autouse=True, scope="session")
def _static_files_are_collected() -> None:
    """Pages name their scripts and styles by hash, as in production, so the files must be there."""
    call_command("collectstatic", interactive=False, verbosity=0)


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
    """An API client signed in as somebody; `api(None)` is nobody."""

    def signed_in(person: User | None) -> APIClient:
        client = APIClient(enforce_csrf_checks=False)
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
