"""Locks of the database, and whole servers, that something else occupies while a test checks what others get."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import psycopg
from django.db import connection

from tests import servers


@contextmanager
def elsewhere(*statements: str) -> Iterator[psycopg.Connection[Any]]:
    """Open another connection to the test database, in a transaction that has run the statements."""
    ours = connection.settings_dict
    with psycopg.connect(
        host=ours["HOST"], port=ours["PORT"], user=ours["USER"], password=ours["PASSWORD"], dbname=ours["NAME"]
    ) as other:
        for statement in statements:
            other.execute(statement)  # type: ignore[arg-type]
        yield other
        other.rollback()


@contextmanager
def silent_broker() -> Iterator[str]:
    """Yield the address of a server that accepts connections and never replies, as a stopped broker does."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"


@contextmanager
def hung_database() -> Iterator[None]:
    """Stop PostgreSQL in the middle of its work: connections stay open and nothing comes.

    Use it only in tests that have the server for themselves, which are marked `long`.
    """
    [running] = [one for one in servers.servers._running if one.server.address_key == "database_url"]
    main = psutil.Process(running.process.pid)
    stopped = [main, *main.children(recursive=True)]
    for process in stopped:
        process.suspend()
    try:
        yield
    finally:
        for process in stopped:
            process.resume()
