"""A pytest plugin (`-p tests.servers`) that starts this run's own servers before Django reads its settings.

They lie in a temporary folder. DATABASE_URL and REDIS_URL override them, as everywhere.
"""

import os
import tempfile
from pathlib import Path

import pytest

from diptych.embedded.servers import start
from diptych.embedded.state import Home

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


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    servers.stop()
    servers.home.remove()
    scratch.rmdir()
