"""`make demo` as a person uses it: from nothing to an answer, killed with -9, started again, stopped by Ctrl-C."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

import psutil
import pytest

from studies.harms import HARM_KEYS
from tests import factories

pytestmark = pytest.mark.long

FIRST_START_S, SECOND_START_S = 180, 10


class Demo:
    """One state folder and, while it runs, its demo."""

    def __init__(self, home: Path, *, with_example: bool = False) -> None:
        self.home, self.with_example = home, with_example
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def start(self, within_s: float) -> float:
        """Start the demo and wait for the address. Return the seconds that it took."""
        # A person's shell, without this test run's own settings.
        environment = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
        environment |= {"DIPTYCH_HOME": str(self.home), "PORT": str(self.port)}
        environment |= {} if self.with_example else {"DEMO_LOOP": "0"}
        began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "diptych.demo"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        said = []
        for line in self.process.stdout:
            said.append(line)
            if "Ready after" in line:
                break
            assert time.monotonic() - began < within_s, "".join(said)
        else:
            pytest.fail("".join(said))
        return time.monotonic() - began

    def facts(self):
        return json.loads((self.home / "demo.json").read_text())

    def ask(self, role, method, path, body=None):
        """Send one request to the API with a role's token."""
        person = next(person for person in self.facts()["people"] if person["role"] == role)
        request = urllib.request.Request(
            f"{self.facts()['url']}/api/v1/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Token {person['token']}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.read()

    def agree(self, role):
        """Sign in as a browser does, and agree to all that the study may show."""
        person = next(person for person in self.facts()["people"] if person["role"] == role)
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

        def send(path, **fields):
            """Fill in the page's form. `fields` come in addition to its token."""
            page = opener.open(f"{self.facts()['url']}{path}", timeout=10).read().decode()
            hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
            body = urllib.parse.urlencode(hidden | fields, doseq=True).encode()
            return opener.open(f"{self.facts()['url']}{path}", body, timeout=10)

        send("/accounts/sign-in/", username=person["username"], password=person["password"])
        assert send("/studies/demo/consent/", categories=HARM_KEYS).url.endswith("/workspace/")

    def processes(self):
        """Return every living process that was started for this folder."""
        mark = f"DIPTYCH_HOME={self.home}"
        return [process for process in psutil.process_iter() if mark in environment_of(process)]


def environment_of(process):
    try:
        return {f"{name}={value}" for name, value in process.environ().items()}
    except psutil.Error:
        return set()


def gone(demo, within_s=20):
    deadline = time.monotonic() + within_s
    while demo.processes():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@pytest.fixture
def demo(tmp_path_factory):
    home = tmp_path_factory.mktemp("demo") / "home"
    demo = Demo(home)
    yield demo
    for process in demo.processes():
        process.kill()
    environment = os.environ | {"DIPTYCH_HOME": str(home)}
    subprocess.run([sys.executable, "-m", "diptych.demo", "--reset", "--yes"], env=environment, check=True)


def test_the_demo_from_nothing_killed_in_the_middle_and_started_again(demo):
    demo.start(FIRST_START_S)
    assert {person["role"] for person in demo.facts()["people"]} >= {"annotator", "reviewer", "researcher", "admin"}
    study = json.loads(demo.ask("researcher", "GET", "studies/demo/"))["progress"]
    assert study["prompts"] >= 24
    assert study["videos"] >= 60
    assert (study["media_failed"], study["media_done"]) == (1, study["videos"] - 1)
    assert study["pairs_held"] > 0

    demo.agree("annotator")
    desk = json.loads(demo.ask("annotator", "POST", "studies/demo/assignments/", {}))
    seen = {f"video_{number}": {"played_s": 600.0, "seen_through": True} for number in range(2)}
    body = factories.body(submission_id=str(uuid.uuid4()), viewing=seen)
    demo.ask("annotator", "POST", f"assignments/{desk['current']['id']}/submit/", body)

    demo.process.send_signal(signal.SIGKILL)
    demo.process.wait()
    assert gone(demo), demo.processes()

    assert demo.start(FIRST_START_S) < SECOND_START_S
    [line] = demo.ask("researcher", "GET", "studies/demo/annotations.jsonl").splitlines()
    assert json.loads(line)["submission_id"] == body["submission_id"]

    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(timeout=20) == 0
    assert gone(demo), demo.processes()
