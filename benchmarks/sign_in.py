"""How long somebody at work waits while twenty others sign in with invented names, compared with working without them.

The product runs as in the image: two processes of two threads. One person requests their pair again and again.
"""

import argparse
import http.client
import json
import os
import statistics
import sys
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks import claims
from benchmarks.claims import at_most
from benchmarks.scratch import Product, product
from diptych.embedded.state import EmbeddedError

ATTACKERS = 20
CSRF = "a" * 32


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sign_in", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument("--seconds", type=float, help="length of each measurement (20; quick: 3)")
    options = parser.parse_args(arguments)
    seconds = options.seconds or (3.0 if options.quick else 20.0)
    try:
        with product("diptych.settings") as running:
            quiet, attacked, seen = measure(running, seconds)
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    rows = [
        [name, len(took), *map(milliseconds, percentiles(took))]
        for name, took in [("quiet", quiet), ("attacked", attacked)]
    ]
    judged = [
        at_most("lease p95 while 20 people sign in with invented names", percentiles(attacked)[1], 500, "ms"),
    ]
    print(claims.table(["", "leases", "p50 ms", "p95 ms", "longest ms"], rows))
    print(f"\nSign-ins by status: {dict(seen)}\n\n{claims.claims_table(judged)}")
    if options.json:
        detail = {"quiet_ms": percentiles(quiet), "attacked_ms": percentiles(attacked), "sign_ins": seen}
        claims.write(options.json, judged, detail | {"processors": os.cpu_count(), "load": os.getloadavg()})
    return 0


def measure(running: Product, seconds: float) -> tuple[list[float], list[float], Counter[int]]:
    """Return waiting times in milliseconds without and with the others, and the responses that the others got."""
    from benchmarks import studies  # needs Django to be set up

    study = studies.fill(1000, 1)
    [person] = studies.sign_in(1, [study])
    headers = {
        "Cookie": f"sessionid={person['session']}; csrftoken={person['csrf']}",
        "X-CSRFToken": person["csrf"],
        "Content-Type": "application/json",
    }
    path = f"/api/v1/studies/{study.slug}/assignments/"
    quiet = leases(running.port, path, headers, seconds)
    over, seen = threading.Event(), Counter[int]()
    attackers = [
        threading.Thread(target=attack, args=[running.port, number, over, seen]) for number in range(ATTACKERS)
    ]
    for one in attackers:
        one.start()
    attacked = leases(running.port, path, headers, seconds)
    over.set()
    for one in attackers:
        one.join()
    return quiet, attacked, seen


def leases(port: int, path: str, headers: dict[str, str], seconds: float) -> list[float]:
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        assert post(port, path, json.dumps({}), headers) == 200
        took.append(1000 * (time.monotonic() - began))
    return took


def attack(port: int, number: int, over: threading.Event, seen: "Counter[int]") -> None:
    """Sign in with one invented name after the other, without a pause."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={CSRF}"}
    attempt = 0
    while not over.is_set():
        attempt += 1
        body = {"username": f"invented-{number}-{attempt}", "password": "a guess", "csrfmiddlewaretoken": CSRF}
        seen[post(port, "/accounts/sign-in/", urllib.parse.urlencode(body), headers)] += 1


def post(port: int, path: str, body: str, headers: dict[str, str]) -> int:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        line.request("POST", path, body, headers)
        response = line.getresponse()
        response.read()
        return response.status
    finally:
        line.close()


def percentiles(took_ms: list[float]) -> tuple[float, float, float]:
    """Return the median, the 95th percentile and the longest time."""
    return statistics.median(took_ms), statistics.quantiles([*took_ms, max(took_ms)], n=20)[-1], max(took_ms)


def milliseconds(value: Any) -> str:
    return f"{value:.1f}"


if __name__ == "__main__":
    sys.exit(main())
