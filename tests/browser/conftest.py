"""Fixtures: a real Chromium on the real server."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection
from playwright.sync_api import Browser, Page, expect, sync_playwright

from accounts.models import User
from accounts.sessions import SessionStore
from tests.browser.chromium import ARGUMENTS, find
from tests.web import wait_for

#: Limit for one event on a page. A busy machine takes its time, and where all is well nobody waits that long.
WITHIN_MS = 15_000
expect.set_options(timeout=WITHIN_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark browser tests: they write rows that another process reads, so each needs real commits."""
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session", autouse=True)
def _the_orm_may_be_used_beside_playwrights_loop() -> Iterator[None]:
    """Allow the ORM.

    Playwright's synchronous API runs an event loop in this thread, which Django takes for asynchronous code.
    """

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = find()
    if path is None:
        pytest.fail("No Chromium was found: run `python -m tests.browser.chromium`.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def cookies_of(person: User, server: str) -> list[Any]:
    """Return the cookies that a browser has after the person has signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    return [{"name": settings.SESSION_COOKIE_NAME, "value": session.session_key, "url": server}]


def nobody_is_at_work() -> bool:
    """Return whether every other connection to the database is idle."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle')"
        )
        return bool(cursor.fetchone()[0])


#: The person's number is filled in.
HAS_BEEN_WELCOMED = "try { localStorage.setItem('diptych:%s:welcomed', 'true') } catch {}"


@pytest.fixture
def open_page(chromium: Browser, server: str, transactional_db: None) -> Iterator[Callable[..., Page]]:
    """Open a page in a browser context of its own, signed in as a person or as nobody.

    The person has closed the welcome before, unless it is their `first_run`. Afterwards no script may have failed, and
    the Content-Security-Policy may have refused nothing.
    """
    contexts, complaints = [], []

    def make(path: str = "/", person: User | None = None, *, first_run: bool = False, **options: Any) -> Page:
        options = {
            "viewport": {"width": 1280, "height": 720},
            "locale": "en",
            "reduced_motion": "reduce",
        } | options
        context = chromium.new_context(base_url=server, **options)
        contexts.append(context)
        context.set_default_timeout(WITHIN_MS)
        if person:
            context.add_cookies(cookies_of(person, server))
            if not first_run:
                context.add_init_script(HAS_BEEN_WELCOMED % person.pk)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
        page.on(
            "console",
            lambda message: complaints.append(message.text) if "Content Security Policy" in message.text else None,
        )
        page.goto(path)
        return page

    yield make
    for context in contexts:
        context.close()
    # A request in progress and emptying the tables would wait for each other.
    wait_for(nobody_is_at_work, "the server still worked on a request of a closed page")
    assert complaints == []
