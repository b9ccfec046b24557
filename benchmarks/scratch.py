"""The whole product in a temporary folder: its own PostgreSQL and Valkey, web server and worker.

Nothing here touches servers or data that were there before: addresses in the environment are dropped first.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.demo import STOP_SIGNALS, Programs, collect_static, migrate
from diptych.embedded.servers import Servers, choose_port, start
from diptych.embedded.state import Home

#: With these addresses a benchmark could reach a real database, or clear a real folder of static files.
DROPPED = ("DATABASE_URL", "REDIS_URL", "MEDIA_ROOT", "STATIC_ROOT", "SECRET_KEY", "DIPTYCH_MODE", "LOG_LEVEL")


#: Threads of each web process, as in the Dockerfile: a proxy in front handles slow connections.
THREADS = 2


@dataclass
class Product:
    """The running product."""

    programs: Programs
    port: int

    @property
    def web_command(self) -> str:
        """Return the command that started the web server, beginning with its name."""
        arguments = Path(f"/proc/{self.programs.running[0].process.pid}/cmdline").read_text().split("\0")
        return " ".join(arguments[arguments.index("-m") + 1 :]).strip() if "-m" in arguments else ""

    def log_end(self) -> str:
        """Return the end of the web server's log."""
        return "\n".join(self.programs.running[0].process.last_lines(20))


@contextmanager
def folder() -> Iterator[Home]:
    """Make a state folder below the system's temporary one, and remove it at the end."""
    # PostgreSQL may have to run as another user, who must be able to reach its data.
    scratch = Path(tempfile.mkdtemp(prefix="diptych-benchmark-"))
    scratch.chmod(0o711)
    home = Home.at(scratch / "home")
    try:
        yield home
    finally:
        home.remove()
        scratch.rmdir()


@contextmanager
def servers(settings: str) -> Iterator[Servers]:
    """Run PostgreSQL and Valkey with an empty database, and set up Django with these settings.

    Everything ends with the block, also on Ctrl-C and `kill`.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, leave)
    for name in DROPPED:
        os.environ.pop(name, None)
    with folder() as home, start(home, purpose="a benchmark") as running:
        os.environ.update(running.environment(), DJANGO_SETTINGS_MODULE=settings)
        prepare_database()
        yield running


@contextmanager
def product(settings: str) -> Iterator[Product]:
    """Run the product as the image runs it, with these settings and an empty database. Also set up Django.

    Everything ends with the block, also on Ctrl-C and `kill`.
    """
    with ExitStack() as stack:
        running = stack.enter_context(servers(settings))
        programs = Programs(running, choose_port(None), threads=THREADS)
        stack.callback(programs.stop)
        programs.start()
        programs.wait_until_healthy()
        yield Product(programs, programs.port)


def leave(number: int, frame: Any) -> None:
    """Turn the first stop signal into an orderly end. Ignore further ones, which must not disturb it."""
    for other in STOP_SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


def prepare_database() -> None:
    """Make tables and static files, as `make demo` does."""
    import django

    django.setup()
    migrate()
    collect_static()
