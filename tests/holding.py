"""Things that somebody else holds while a test looks at what others get: locks of the database, and whole servers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import psycopg
from django.db import connection

from tests import servers


@contextmanager
def elsewhere(*statements: str) -> Iterator[psycopg.Connection[Any]]:
    """Another connection to the test database, in a transaction that has run the statements."""
    ours = connection.settings_dict
    with psycopg.connect(
        host=ours["HOST"], port=ours["PORT"], user=ours["USER"], password=ours["PASSWORD"], dbname=ours["NAME"]
    ) as other:
        for statement in statements:
            other.execute(statement)  # type: ignore[arg-type]
        yield other
        other.rollback()


@contextmanager
def hung(server: str) -> Iterator[None]:
    """`broker` or `database` stopped in the middle of what it does: connections stay open and nothing comes."""
    key = {"broker": "redis_url", "database": "database_url"}[server]
    [running] = [one for one in servers.servers._running if one.server.address_key == key]
    main = psutil.Process(running.process.pid)
    stopped = [main, *main.children(recursive=True)]
    for process in stopped:
        process.suspend()
    try:
        yield
    finally:
        for process in stopped:
            process.resume()
