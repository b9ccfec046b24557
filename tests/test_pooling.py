"""PgBouncer before PostgreSQL, as docs/operators/install.md configures it, and what its transaction mode breaks."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from diptych.embedded.place import unprivileged
from diptych.embedded.process import Guarded
from tests.documents import code, commands
from tests.production import ROOT
from tests.programs import find
from tests.web import free_port, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

PGBOUNCER = find("pgbouncer")
PAGE = ROOT / "docs/operators/install.md"
SECTION = "PostgreSQL behind a pooler"

#: What the product does on its connections, in eight threads at the same time that share two connections of a pool.
USE = """
import sys, threading, django; django.setup()
from django.db import connection
from diptych.database import fixed

def locks(number):
    # A lock that outlasts a transaction, as an import holds one.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(7, %s)", [number])
        for _ in range(20):
            cursor.execute("SELECT pg_sleep(0.002)")
        cursor.execute("SELECT pg_advisory_unlock_shared(7, %s)", [number])
        assert cursor.fetchone() == (True,), "the lock was on another connection"

def cursors(number):
    with connection.chunked_cursor() as cursor:
        cursor.execute("SELECT generate_series(1, 2000)")
        together.wait()  # now all threads want one of the two connections at the same moment
        for _ in range(20):
            with connection.cursor() as other:
                other.execute("SELECT pg_sleep(0.002)")
        assert sum(len(rows) for rows in iter(lambda: cursor.fetchmany(100), [])) == 2000

def prepared(number):
    for turn in range(40):
        assert fixed.fetch_one("SELECT %(turn)s::int", {"turn": turn}) == (turn,)

failed, together = [], threading.Barrier(8, timeout=30)
def use(number):
    try:
        {"locks": locks, "cursors": cursors, "prepared": prepared}[sys.argv[1]](number)
    except Exception as error:
        failed.append(repr(error))
    finally:
        connection.close()

threads = [threading.Thread(target=use, args=[number]) for number in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
sys.exit("\\n".join(failed) or 0)
"""


@pytest.fixture
def pooler() -> Iterator[Callable[[str], str]]:
    """Start PgBouncer with the documented configuration, in one mode. Yield its address."""
    if PGBOUNCER is None:
        pytest.skip("PgBouncer is not installed here; on Debian or Ubuntu: apt-get install pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="diptych-pooler-"))
    folder.chmod(0o755)  # PgBouncer does not run as root
    started = []

    def start(mode: str) -> str:
        server, port = connection.settings_dict, free_port()
        (folder / "users").write_text(f'"{server["USER"]}" "{server["PASSWORD"]}"\n')
        text = code(PAGE, "ini", SECTION)
        for documented, here in (
            ("diptych = host=127.0.0.1 port=5432 dbname=diptych",
             f"diptych = host={server['HOST']} port={server['PORT']} dbname={server['NAME']}"),
            ("listen_port = 6432", f"listen_port = {port}\nunix_socket_dir ="),
            ("/etc/pgbouncer/userlist.txt", f"{folder}/users"),
            ("pool_mode = session", f"pool_mode = {mode}"),
            ("default_pool_size = 100", f"default_pool_size = {8 if mode == 'session' else 2}"),
        ):  # fmt: skip
            assert documented in text
            text = text.replace(documented, here)
        (folder / "pgbouncer.ini").write_text(text)
        user = unprivileged() if os.geteuid() == 0 else None
        log = folder / "log"
        running = Guarded("PgBouncer", [PGBOUNCER, folder / "pgbouncer.ini"], log=log, grace=3, user=user)
        started.append(running)
        wait_for(lambda: "process up" in log.read_text(), f"PgBouncer did not start; see {log}")
        return f"postgresql://{server['USER']}:{server['PASSWORD']}@127.0.0.1:{port}/diptych"

    yield start
    for running in started:
        running.stop()
    shutil.rmtree(folder)


def use(address: str, what: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", USE, what],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "diptych.settings"},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.long
@pytest.mark.parametrize(
    "what", ["locks", *(pytest.param(what, marks=pytest.mark.long) for what in ("cursors", "prepared"))]
)
def test_session_mode_carries_locks_cursors_and_prepared_statements(pooler, what):
    ran = use(pooler("session"), what)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("what", "said"), [("locks", "the lock was on another connection"), ("cursors", "does not exist")]
)
@pytest.mark.long
def test_transaction_mode_breaks_what_outlasts_a_transaction(pooler, what, said):
    assert said in use(pooler("transaction"), what).stderr


@pytest.mark.long
def test_the_role_has_the_option_that_the_pooler_ignores(pooler):
    [command] = commands(PAGE, SECTION)
    statement = command.split(' -c "')[1].rstrip('"')
    with connection.cursor() as cursor:
        cursor.execute(statement)
    try:
        program = "import django; django.setup(); from django.db import connection as c; k = c.cursor();"
        program += "k.execute('SHOW plan_cache_mode'); print(k.fetchone()[0])"
        environment = {"DATABASE_URL": pooler("session"), "DJANGO_SETTINGS_MODULE": "diptych.settings"}
        ran = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
        )
        assert ran.stdout == "force_generic_plan\n", ran.stderr
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER ROLE CURRENT_USER RESET plan_cache_mode")
