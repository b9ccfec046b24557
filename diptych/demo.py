"""`make demo`: run the whole system on one machine, and print its address and the sign-ins to try it with.

A process with Django brings the database and the files up to date and fills in the demo study. This process never
imports Django: it only starts, watches and stops the others. All of them end when it ends, for whatever reason.
"""

import argparse
import http.client
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diptych import demo_example
from diptych.embedded.process import Guarded
from diptych.embedded.servers import Servers, is_free, start
from diptych.embedded.state import REPOSITORY, EmbeddedError, Home, sentences_for, write_private

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
HEALTHY_WITHIN = 60.0  # seconds
GIVE_UP = 3  # restarts of one program within GIVE_UP_WITHIN seconds
GIVE_UP_WITHIN = 60.0
#: Threads of each web process. A browser that reads a video slowly keeps one of them. Behind a proxy, fewer do more.
THREADS = 16
WEB_GRACE, WORKER_GRACE = 3.0, 4.0  # seconds; a task that is cut short is started again from its row


def main(arguments: list[str] | None = None) -> int:
    """Run the demo, or reset it. Return the exit status."""
    for number in STOP_SIGNALS:
        signal.signal(number, leave)
    parser = argparse.ArgumentParser(prog="python -m diptych.demo", description=__doc__.splitlines()[0])
    parser.add_argument("--reset", action="store_true", help="delete the demo's data")
    parser.add_argument("--yes", action="store_true", help="with --reset: do not ask")
    parser.add_argument("--fill", type=int, metavar="DESCRIPTOR", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        if options.fill is not None:
            return fill(options.fill)
        home = Home.from_environment()
        return reset(home, ask=not options.yes) if options.reset else run(home, wanted_port())
    except EmbeddedError as error:
        say(str(error), to=sys.stderr)
        return 1


def leave(number: int, frame: object) -> None:
    """Turn the first stop signal into an orderly end. Ignore further ones, which must not disturb it."""
    for other in STOP_SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    sys.exit(0)


# --- What a person sees --------------------------------------------------------------------------------


def say(text: str = "", to: Any = None) -> None:
    """Print a line. Carry on if the terminal has gone away."""
    with suppress(OSError):
        print(text, file=to or sys.stdout, flush=True)


class Step:
    """One line for one step, with the seconds that it took: `with Step("Database is current"): ...`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.began = time.monotonic()

    def __enter__(self) -> "Step":
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            say(f"  {self.text:<48}{time.monotonic() - self.began:6.1f} s")


def show_sign_ins(url: str, people: list[dict[str, str]]) -> None:
    """Print the address, and one line for each person."""
    say(f"\n  Diptych is at {url}\n")
    columns = ("role", "username", "password")
    widths = [max(len(column), *(len(str(one.get(column, ""))) for one in people)) for column in columns]
    for one in ({column: column for column in columns}, *people):
        cells = [str(one.get(column, "")).ljust(width) for column, width in zip(columns, widths, strict=True)]
        say(f"    {'   '.join(cells).rstrip()}")
    say("\n  Ctrl-C stops it and keeps the data. `make demo-reset` deletes them.")


# --- The demo ------------------------------------------------------------------------------------------


def wanted_port() -> int:
    """Return PORT, or 8000 if it is not set. Raises EmbeddedError if it is no port number."""
    text = os.environ.get("PORT") or "8000"
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise EmbeddedError(
            f"PORT is {text!r}, which is not a port number. Give a number from 1 to 65535: `PORT=8001 make demo`."
        )
    return int(text)


def check_port(port: int) -> None:
    """Raise EmbeddedError if something else listens on the port, or we may not use it."""
    if is_free(port):
        return
    with closing(socket.socket()) as probe:
        taken = probe.connect_ex(("127.0.0.1", port)) == 0
    reason = "is in use by another program" if taken or port >= 1024 else "can only be used by root"
    other = port + 1 if 1024 <= port < 65535 else 8001
    raise EmbeddedError(f"Port {port} {reason}. Choose another one: `PORT={other} make demo`.")


def check_not_running(home: Home) -> None:
    """Raise EmbeddedError with the address if a demo already runs on this state folder."""
    pid, purpose = home.holder() or (0, "")
    if purpose.startswith("the demo at "):
        raise EmbeddedError(
            f"The demo already runs at {purpose.removeprefix('the demo at ')} (process {pid}). Stop it there "
            f"with Ctrl-C, or with `kill {pid}`. Its sign-ins are in {home.path / 'demo.json'}."
        )


def run(home: Home, port: int) -> int:
    """Start everything, show where it is, and keep it running until a stop signal."""
    url = f"http://127.0.0.1:{port}"
    check_not_running(home)
    if not home.is_held():
        check_port(port)
    began = time.monotonic()
    try:
        say(f"Diptych demo in {home.path}")
        with ExitStack() as stack:
            with Step("PostgreSQL and Valkey"):
                servers = stack.enter_context(start(home, purpose=f"the demo at {url}"))
            # Nobody else may read what our programs write into the state folder. This must come after the servers have
            # started: as root they run as another user, who must be able to enter the folders that are made for them.
            os.umask(0o077)
            # Check again: by now the web server of a demo that was just killed has released its port.
            check_port(port)
            programs = Programs(servers, port)
            stack.callback(programs.stop)
            prepare(programs)
            with Step("Web server, worker and clock"):
                programs.wait_until_healthy()
            show_sign_ins(url, write_sign_ins(home, url))
            say(f"\n  Ready after {time.monotonic() - began:.1f} s.")
            example = demo_example.Example(home, port, programs.guard, say)
            programs.watch(demo_example.begin(example, stack))
    except SystemExit:
        say("\nStopped.")
        raise
    return 1


def prepare(programs: "Programs") -> None:
    """Bring database and files up to date, start web server, worker and clock, and fill in the study meanwhile.

    Raises EmbeddedError when a step fails or a program ends meanwhile.
    """
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "diptych.demo", "--fill", writer]
    filling = programs.guard("The preparation", command, writer)
    os.close(writer)
    try:
        current = bool(os.read(reader, 1))  # empty when the process failed and has ended
        if current:
            programs.start()
        while filling.is_alive():
            select.select([], [], [], 0.1)
            programs.check()
        if not current or filling.wait() != 0:
            raise EmbeddedError("The demo could not be prepared. The error is shown above.")
    finally:
        os.close(reader)
        filling.stop()


def write_sign_ins(home: Home, url: str) -> list[dict[str, str]]:
    """Write demo.json, for programs that try the demo. Return the people in it."""
    people_file = home.path / "demo-people.json"
    with sentences_for(people_file):
        people = json.loads(people_file.read_text())
        write_private(home.path / "demo.json", json.dumps({"url": url, "people": people}, indent=2) + "\n")
    return people


@dataclass
class Program:
    """The web server, the worker or the clock: how to start it, its process, and when it was restarted."""

    launch: Callable[[], Guarded]
    process: Guarded
    restarts: list[float] = field(default_factory=list)


class Programs:
    """The web server, the worker and the clock, together with the servers that they need."""

    def __init__(self, servers: Servers, port: int, *, threads: int = THREADS) -> None:
        self.servers = servers
        self.port = port
        self.threads = threads
        ours = {"DIPTYCH_MODE": "demo", "PYTHONUNBUFFERED": "1"}
        self.environment = os.environ | servers.environment() | ours
        self.running: list[Program] = []
        self.server_restarts: list[float] = []

    def guard(self, name: str, command: list[Any], *keep: int, **options: Any) -> Guarded:
        """Start a command of this project that ends when this process does."""
        keep += self.servers.keep
        return Guarded(name, command, environment=self.environment, cwd=REPOSITORY, keep=keep, **options)

    def start(self) -> None:
        for launch in (self.web_server, self.worker, self.clock):
            self.running.append(Program(launch, launch()))

    def web_server(self) -> Guarded:
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--workers", "2", "--blocking-threads", str(self.threads)]
        command += ["--respawn-failed-workers", "--workers-kill-timeout", "2", "diptych.wsgi:application"]
        return self.guard("The web server", command, log=self.servers.home.log("web"), grace=WEB_GRACE)

    def worker(self) -> Guarded:
        command = [sys.executable, "-m", "celery", "-A", "diptych", "worker", "-Q", "default,media"]
        command += ["--concurrency", "2", "--without-mingle", "--without-gossip", "--loglevel", "INFO"]
        log = self.servers.home.log("worker")
        return self.guard("The worker", command, log=log, grace=WORKER_GRACE, stop_signal=signal.SIGQUIT)

    def clock(self) -> Guarded:
        """Start beat, which sends the periodic sweeps.

        If it ran inside the worker, nothing would restart it when it ends.
        """
        schedule = self.servers.home.path / "celerybeat-schedule"
        command = [sys.executable, "-m", "celery", "-A", "diptych", "beat", "--loglevel", "INFO", "-s", str(schedule)]
        return self.guard("The clock", command, log=self.servers.home.log("clock"), grace=WEB_GRACE)

    def check(self) -> None:
        """Raise EmbeddedError if anything has ended."""
        endings = self.servers.endings()
        endings += [one.process.ending() for one in self.running if not one.process.is_alive()]
        if endings:
            raise EmbeddedError(" ".join(endings))

    def wait_until_healthy(self) -> None:
        """Return when the web server reports that it can serve pages. Raises EmbeddedError if it does not in time."""
        deadline = time.monotonic() + HEALTHY_WITHIN
        while (status := health(self.port)) != 200:
            self.check()
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"/healthz responds with {status or 'nothing'} after {HEALTHY_WITHIN:.0f} seconds. "
                    f"See the logs in {self.servers.home.logs}, then start again."
                )
            time.sleep(0.05)

    def watch(self, also: Callable[[], None]) -> None:
        """Restart what ends, and call `also`, until a stop signal. Raises EmbeddedError if something keeps ending."""
        while True:
            select.select([], [], [], 0.2)
            self.restart_ended()
            also()

    def restart_ended(self) -> None:
        """Restart what has ended by itself, and say so. Raises EmbeddedError if something keeps ending."""
        if not self.servers.alive():
            for ending in self.servers.endings():
                say(f"  {ending} It is being restarted.")
            count_restart(self.server_restarts, "A server")
            self.servers.restart_ended()
        for one in self.running:
            if not one.process.is_alive():
                say(f"  {one.process.ending()} It is being restarted.")
                count_restart(one.restarts, one.process.name)
                one.process.stop()
                one.process = one.launch()

    def stop(self) -> None:
        """End web server, worker and clock together."""
        for one in self.running:
            one.process.begin_stop()
        for one in self.running:
            one.process.stop()


def count_restart(restarts: list[float], name: str) -> None:
    """Record a restart. Raises EmbeddedError if there were too many recently."""
    now = time.monotonic()
    restarts[:] = [*(moment for moment in restarts if now - moment < GIVE_UP_WITHIN), now]
    if len(restarts) > GIVE_UP:
        raise EmbeddedError(f"{name} has ended {len(restarts)} times in a minute, so the demo stops. See the log.")


def health(port: int) -> int:
    """Return the status of /healthz, or 0 if there is no response."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0


def reset(home: Home, ask: bool) -> int:
    """Delete the state folder and the data that lie elsewhere. Return the exit status."""
    check_not_running(home)
    if not home.path.exists():
        say(f"There is nothing to delete: {home.path} does not exist.")
        return 0
    if ask and sys.stdin.isatty():
        say(f"This deletes {home.path} with all answers, videos and accounts in it.")
        try:
            answer = input("Type yes to continue: ")
        except EOFError:
            answer = ""
        if answer.strip().lower() != "yes":
            say("Nothing was deleted.")
            return 1
    with Step(f"{home.path} deleted"):
        home.remove()
    return 0


# --- In a process of its own, with Django --------------------------------------------------------------


def fill(descriptor: int) -> int:
    """Bring database and static files up to date, report that through the descriptor, and make the demo study.

    Return the exit status.
    """
    log = Home.from_environment().log("preparation")
    try:
        import django

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")
        django.setup()
        from django.core.management import call_command

        with Step("Database is current"):
            migrate()
        with Step("Static files are current"):
            collect_static()
        os.write(descriptor, b".")
        os.close(descriptor)
        people = Home.from_environment().path / "demo-people.json"
        with Step("Demo study"):
            call_command("make_demo_study", if_missing=True, people_file=str(people))
        with Step("Videos are prepared"):
            call_command("media_progress", study="demo", wait=True)
    except Exception as error:
        with log.open("a") as file:
            traceback.print_exc(file=file)
        say(f"  {error or type(error).__name__} (in full in {log})", to=sys.stderr)
        return 1
    return 0


def migrate() -> None:
    """Apply migrations if there are any to apply."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


def collect_static() -> None:
    """Collect static files if one has changed since they were last collected."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    # Not all of them are files of a folder: the script of charts is made when it is collected.
    found = [one for finder in get_finders() for one in finder.list([])]
    changed = [(storage.path(name), storage.get_modified_time(name).timestamp()) for name, storage in found]
    ours = REPOSITORY / "diptych" / "staticfiles.py"
    changed.append((str(ours), ours.stat().st_mtime))
    mark, now = Path(settings.STATIC_ROOT) / ".collected-from", json.dumps(sorted(changed))
    if mark.exists() and mark.read_text() == now:
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    mark.write_text(now)


if __name__ == "__main__":
    sys.exit(main())
