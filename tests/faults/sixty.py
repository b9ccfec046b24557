"""Sixty people with the product as `make demo` runs it, what happened to each of their requests, and a table of it."""

import http.client
import json
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
from django.db import connection

from diptych.demo import Program, Programs
from diptych.embedded.servers import Servers
from tests import factories
from tests.browser.conftest import cookies_of

THREADS = 8  # of each of two web processes
PATIENCE_S = 20.0  # as the workspace has
CSRF = "a" * 32


@dataclass(frozen=True, slots=True)
class Met:
    """One request: when it was sent and how long it took (seconds), and its outcome: a status, or 0 for no response."""

    sent_at: float
    took_s: float
    status: int

    @property
    def failed(self) -> bool:
        return self.status == 0 or self.status >= 500


class Product:
    """The web server, the worker and the clock on the test database, restarted as the demo does it."""

    def __init__(self, servers: Servers, port: int) -> None:
        self.servers = servers
        self.programs = Programs(servers, port, threads=THREADS)
        database = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
        self.programs.environment["DATABASE_URL"] = database
        self.leave_servers_down = threading.Event()
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._watching = threading.Thread(target=self._watch)

    def start(self) -> None:
        self.programs.start()
        self.programs.wait_until_healthy()
        self._watching.start()

    def stop(self) -> None:
        self._over.set()
        self._watching.join()
        self.programs.stop()
        if self._failure:
            raise self._failure

    def _watch(self) -> None:
        try:
            while not self._over.wait(0.2):
                if not (self.leave_servers_down.is_set() and not self.servers.alive()):
                    self.programs.restart_ended()
        except BaseException as error:
            self._failure = error

    def program(self, name: str) -> Program:
        return next(one for one in self.programs.running if one.process.name == name)

    def kill(self, name: str) -> None:
        """Kill a program, and all that it started, with kill -9."""
        main = psutil.Process(self.program(name).process.pid)
        for process in [main, *main.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)

    def server(self, key: str) -> psutil.Process:
        [running] = [one for one in self.servers._running if one.server.address_key == key]
        return psutil.Process(running.process.pid)


class Somebody:
    """A person and their browser.

    A request without a response is sent again, with the same submission id, until it gets one.
    """

    def __init__(self, port: int, study: Any, role: str, seed: int) -> None:
        self.port, self.study, self.role, self.dice = port, study, role, random.Random(seed)
        [cookie] = cookies_of(factories.member(study, role), f"http://127.0.0.1:{port}")
        self.headers = {
            "Cookie": f"{cookie['name']}={cookie['value']}; csrftoken={CSRF}",
            "X-CSRFToken": CSRF,
            "Content-Type": "application/json",
        }
        self.met: list[Met] = []
        self.acknowledged: list[str] = []

    def work(self, over: threading.Event) -> None:
        while not over.is_set():
            if self.role == "annotator":
                self.annotate(over)
            else:
                for path in ("/", f"/studies/{self.study.slug}/", f"/studies/{self.study.slug}/imports/"):
                    self.ask("GET", path)
                    self.think(over)

    def annotate(self, over: threading.Event) -> None:
        self.ask("GET", f"/studies/{self.study.slug}/workspace/")
        desk = self.until_answered(over, f"/api/v1/studies/{self.study.slug}/assignments/", {})
        while desk and desk.get("current") and not over.is_set():
            self.think(over)
            body = factories.body() | {"lease_next": True}
            desk = self.until_answered(over, f"/api/v1/assignments/{desk['current']['id']}/submit/", body)
            if desk is not None:
                self.acknowledged.append(body["submission_id"])

    def until_answered(self, over: threading.Event, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Return the final response. Return None if the test was over first."""
        while True:
            status, answer = self.ask("POST", path, json.dumps(body))
            if 0 < status < 500:
                assert status in {200, 201}, answer
                return json.loads(answer)
            if over.wait(1.0):  # the workspace's first wait
                return None

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        sent_at, status, answer = time.monotonic(), 0, b""
        try:
            line.request(method, path, body, self.headers)
            response = line.getresponse()
            status, answer = response.status, response.read()
        except (OSError, http.client.HTTPException):
            status = 0
        finally:
            line.close()
            self.met.append(Met(sent_at, time.monotonic() - sent_at, status))
        return status, answer

    def think(self, over: threading.Event) -> None:
        over.wait(self.dice.uniform(1, 3))


@dataclass
class Fault:
    """One row of the table."""

    name: str
    began: float = 0.0
    back: float = 0.0  # when the broken part worked again
    ended: float = 0.0
    swept_after_s: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def count(self, people: list[Somebody]) -> None:
        met = [one for person in people for one in list(person.met) if self.began <= one.sent_at < self.ended]
        failed = [one for one in met if one.failed]
        kinds = Counter("no response" if one.status == 0 else str(one.status) for one in failed)
        last = max((one.sent_at + one.took_s for one in failed), default=self.began)
        self.facts = {
            "requests": len(met),
            "failed": len(failed),
            "kinds": ", ".join(f"{number} × {kind}" for kind, number in sorted(kinds.items())) or "–",
            "errors_s": last - min((one.sent_at for one in failed), default=last),
            "after_back_s": max(0.0, last - self.back) if failed else 0.0,
            "longest_s": max(one.took_s for one in met),
        }

    def __str__(self) -> str:
        facts = self.facts
        swept = "–" if self.swept_after_s is None else f"{self.swept_after_s:.0f} s"
        cells = [self.name, facts["requests"], facts["failed"], facts["kinds"]]
        cells += [f"{facts[key]:.1f} s" for key in ("errors_s", "after_back_s", "longest_s")]
        return f"| {' | '.join(map(str, [*cells, swept]))} |"


@contextmanager
def at_work(people: list[Somebody]) -> Iterator[None]:
    """Let everybody work until the block ends."""
    over = threading.Event()
    with ThreadPoolExecutor(len(people)) as pool:
        working = [pool.submit(person.work, over) for person in people]
        try:
            yield
        finally:
            over.set()
        for one in working:
            one.result()
