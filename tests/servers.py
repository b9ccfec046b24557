"""A pytest plugin (`-p tests.servers`) that starts this run's own servers before Django reads its settings.

They lie in a temporary folder. DATABASE_URL and REDIS_URL override them, as everywhere. A run with several workers
also begins the database that the workers copy.
"""

import contextlib
import importlib
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from diptych.embedded.servers import start
from diptych.embedded.state import Home
from tests import first_database

scratch = Path(tempfile.mkdtemp(prefix="diptych-tests-"))
scratch.chmod(0o711)  # PostgreSQL may have to run as another user, who must be able to reach its data
os.environ["DIPTYCH_HOME"] = str(scratch / "home")
os.environ["DIPTYCH_MODE"] = "test"
# The suite tests durability on servers of its own. These may lose data, and are twice as fast.
servers = start(
    Home.at(scratch / "home"),
    purpose="tests",
    postgres_settings={"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"},
)
os.environ.update(servers.environment())
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    # A program that takes messages in one worker of pytest must not take those of another one.
    # Valkey has 16 databases, and `tests.installation` uses the one after these.
    address, _, _database = servers.redis_url.rpartition("/")
    os.environ["REDIS_URL"] = f"{address}/{1 + int(worker.removeprefix('gw')) % 8}"


#: The one process of this run that makes the database, in the process that starts the workers.
making: list["subprocess.Popen[bytes]"] = []


@pytest.hookimpl(tryfirst=True, optionalhook=True)  # a run without workers does not know it
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run one worker more than there are processors: tests also wait, for programs and for browsers."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Import a share of the test modules, in one of several workers.

    pytest compiles a module of tests at its first import, and keeps the result. So each is compiled by one worker.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if not worker or session.config.args != ["tests"]:
        return
    modules = sorted(Path("tests").rglob("test_*.py"))
    for path in modules[int(worker.removeprefix("gw")) :: int(os.environ["PYTEST_XDIST_WORKER_COUNT"])]:
        with contextlib.suppress(Exception):  # the collection says what is wrong
            importlib.import_module(".".join(path.with_suffix("").parts))


def pytest_configure(config: pytest.Config) -> None:
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        os.environ["FIRST_DATABASE"] = str(scratch / "first-database")
        making.append(first_database.begin(scratch / "first-database"))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    for process in making:
        process.terminate()
        process.wait()
    servers.stop()
    servers.home.remove()
    (scratch / "first-database").unlink(missing_ok=True)
    scratch.rmdir()
