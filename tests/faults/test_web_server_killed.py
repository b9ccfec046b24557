"""People work while the web server is killed again and again and leases expire.

Every answer is stored once.
"""

import http.client
import json
import os
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import psutil
import pytest
from django.conf import settings
from django.db import connection

from accounts.tokens import issue_token
from annotation.models import Annotation
from diptych.embedded.process import Guarded
from tests import factories
from tests.annotation import recounting
from tests.annotation.crowd import Somebody, Surroundings
from tests.annotation.interleaving import finish
from tests.web import answers, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

SECONDS = 90
PEOPLE = 10
BETWEEN_KILLS_S = (2, 8)


class WebServer:
    """The production web server on the test database, at one address however often it is restarted."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        database = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--workers", "1", "--blocking-threads", "8", "diptych.wsgi:application"]
        self.process = Guarded(
            "The web server",
            command,
            log=Path(settings.HOME.path) / "logs" / "web.log",
            grace=1,
            environment=os.environ | {"DATABASE_URL": database},
        )
        wait_for(lambda: answers(f"{self.address}/healthz"), "the web server did not start")

    def kill(self) -> None:
        """Kill the server and all that it started with kill -9, whatever they are doing."""
        server = psutil.Process(self.process.pid)
        for member in [server, *server.children(recursive=True)]:
            member.send_signal(signal.SIGKILL)
        self.process.stop()


class Browser:
    """One person's page. A request without a response is sent again, with the same submission id, until it gets one."""

    def __init__(self, address: str, study, user, seed: int) -> None:
        self.place, self.study, self.dice = urlsplit(address).netloc, study, Random(seed)
        self.headers = {"Authorization": f"Token {issue_token(user, scopes=['annotate'])}"}
        self.headers |= {"Content-Type": "application/json"}
        self.acknowledged: list[str] = []
        self.sent_again = 0

    def work(self, until: float) -> None:
        while time.monotonic() < until:
            _, desk = self.ask(f"studies/{self.study.slug}/assignments/", {})
            while desk.get("current") and time.monotonic() < until:
                desk = self.answer(desk["current"]["id"])

    def answer(self, assignment_id: int) -> dict:
        """Submit an answer, or now and then a skip. Return the next pairs, or nothing, so that the page asks again."""
        if self.dice.random() < 0.1:
            status, desk = self.ask(f"assignments/{assignment_id}/skip/", {"reason": "too_distressing"})
            return desk if status == 200 else {}
        body = factories.body() | {"lease_next": True}
        status, desk = self.ask(f"assignments/{assignment_id}/submit/", body)
        assert status in {200, 201, 409}, desk
        if status == 409:
            assert desk["code"] == "already_answered", desk
            return {}
        self.acknowledged.append(body["submission_id"])
        return desk

    def ask(self, path: str, body: dict) -> tuple[int, dict]:
        """Send a request until it gets a response."""
        while True:
            try:
                line = http.client.HTTPConnection(self.place, timeout=10)
                line.request("POST", f"/api/v1/{path}", json.dumps(body), self.headers)
                response = line.getresponse()
                return response.status, json.loads(response.read())
            except (OSError, http.client.HTTPException):
                self.sent_again += 1
                time.sleep(0.05)  # as the page does before it tries again
            finally:
                line.close()


def test_a_minute_and_a_half_of_ten_people_whose_web_server_is_killed_again_and_again():
    study = factories.study(hold_after_skips=99)
    factories.pairs(study, 3000, wanted=2)
    users = [factories.member(study, "annotator") for _ in range(PEOPLE)]
    server, dice, surroundings, killed = WebServer(), Random(3), Surroundings(study), 0
    server.start()
    browsers = [Browser(server.address, study, user, seed) for seed, user in enumerate(users)]
    until = time.monotonic() + SECONDS
    try:
        with ThreadPoolExecutor(PEOPLE) as pool:
            working = [pool.submit(browser.work, until) for browser in browsers]
            next_kill = time.monotonic() + dice.uniform(*BETWEEN_KILLS_S)
            while time.monotonic() < until:
                surroundings.expire(dice.randrange(2 * PEOPLE))
                surroundings.sweep(0)
                time.sleep(0.2)
                if time.monotonic() > next_kill:
                    server.kill()
                    killed += 1
                    server.start()
                    next_kill = time.monotonic() + dice.uniform(*BETWEEN_KILLS_S)
            for one in working:
                one.result()
    finally:
        server.kill()
    assert killed >= 5
    assert sum(browser.sent_again for browser in browsers) > 0
    acknowledged = [submission_id for browser in browsers for submission_id in browser.acknowledged]
    stored = recounting.stored(study.pk)
    assert len(acknowledged) == len(set(acknowledged)) > 200
    assert set(acknowledged) <= set(stored)
    # A person who was stopped by the clock had at most one answer on its way.
    assert len(stored) <= len(acknowledged) + PEOPLE
    assert recounting.contradictions(study.pk) == {}
    finish(study, [Somebody(study, user) for user in users[:2]])
    assert recounting.contradictions(study.pk) == {}
    assert Annotation.objects.filter(study=study).count() == len(recounting.stored(study.pk))
