"""Twenty people sign in with invented names at the same time while somebody works.

The server runs as in the image, with real hashes.
"""

import http.client
import json
import threading
import urllib.parse
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from accounts.tokens import issue_token
from tests import factories
from tests.web import free_port, serve

pytestmark = pytest.mark.django_db(transaction=True)

ATTACKERS, TRIES = 20, 3
CSRF = "a" * 32


@pytest.fixture
def hashes(tmp_path: Path) -> Path:
    return tmp_path / "hashes"


@pytest.fixture
def port(hashes, _static_files_are_collected):
    chosen = free_port()
    running = serve(
        chosen,
        workers=2,
        threads=2,
        application="tests.accounts.counted_hashes:application",
        HASHES_FILE=str(hashes),
    )
    yield chosen
    running.stop()


def post(port, path, body, headers):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        line.request("POST", path, body, headers)
        response = line.getresponse()
        return response.status, response.headers, response.read()
    finally:
        line.close()


def attack(port, number):
    """Sign in a few times in a row, each with a name that nobody has. Return the statuses."""
    seen = Counter()
    for attempt in range(TRIES):
        body = {"username": f"invented-{number}-{attempt}", "password": "guess", "csrfmiddlewaretoken": CSRF}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={CSRF}"}
        status, about, _ = post(port, "/accounts/sign-in/", urllib.parse.urlencode(body), headers)
        assert (status == 429) == ("Retry-After" in about)
        seen[status] += 1
    return seen


@pytest.mark.long
def test_each_process_hashes_one_password_at_a_time_and_work_goes_on(port, hashes):
    study = factories.study()
    factories.pairs(study, 3)
    token = issue_token(factories.member(study, "annotator"), scopes=["annotate"])
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
    over, leases = threading.Event(), Counter()

    def work():
        while not over.is_set():
            status, _, body = post(port, f"/api/v1/studies/{study.slug}/assignments/", "{}", headers)
            leases[status, bool(json.loads(body).get("current"))] += 1

    with ThreadPoolExecutor(ATTACKERS + 1) as pool:
        working = pool.submit(work)
        attacks = [pool.submit(attack, port, number) for number in range(ATTACKERS)]
        seen = sum((one.result() for one in attacks), Counter())
        over.set()
        working.result()
    noted = [line.split() for line in hashes.read_text().splitlines()]
    assert {running for _, running in noted} == {"1"}
    assert len({process for process, _ in noted}) <= 2
    assert set(seen) == {200, 429}  # a wrong password, or deferred
    assert seen[200] == len(noted)
    assert sum(seen.values()) == ATTACKERS * TRIES
    assert set(leases) == {(200, True)}, leases
