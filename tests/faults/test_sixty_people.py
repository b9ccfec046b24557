"""Sixty people work while the broker is unreachable or hangs, and while PostgreSQL, beat and the web server are killed.

`python -m pytest -p tests.long tests/faults/test_sixty_people.py` also writes the results to docs/faults.md.
"""

import datetime
import http.client
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from tests import factories, servers
from tests.annotation import recounting
from tests.faults.sixty import Fault, Product, Somebody, at_work
from tests.long import present_commit
from tests.web import free_port, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

ANNOTATORS, RESEARCHERS = 54, 6
REFUSED_S, HUNG_S = 30.0, 15.0
QUIET_S = 10.0  # before the first fault, and after each
#: Loose limits for a machine that may be busy. docs/faults.md has the measurements and the aims.
LONGEST_WAIT_S, ERRORS_AFTER_BACK_S, SWEPT_WITHIN_S = 10.0, 5.0, 90.0
TABLE = Path(settings.BASE_DIR) / "docs" / "faults.md"
HEAD = """# What sixty people see of a fault

Written by `tests/faults/test_sixty_people.py` (`make test-long`) on {day}, commit {commit}, {processors} processors.
{annotators} people annotate and {researchers} look at pages, each with 1 to 3 s between two requests. There are two web
processes with eight threads each. Aims: No request fails because of the broker. Errors last at most 2 s after
PostgreSQL is back. No answer is lost or stored twice.

| {columns} |
| {lines} |
"""
COLUMNS = (
    *("fault", "requests", "failed", "how", "from first to last failure", "last failure after it was back"),
    *("longest wait", "first sweep after it was back"),
)
TAIL = """
Answers acknowledged: {acknowledged}. Lost: {lost}. Stored twice: {doubled}.

*How*: `no response` means that the connection was refused or broke. 503 says when to try again, and the
workspace then sends the same answer again automatically. *It was back* means that the broken server could be used
again.
"""


@pytest.fixture
def product(_static_files_are_collected) -> Iterator[Product]:
    if not servers.servers._running:
        pytest.skip("this run uses servers of somebody else's")
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:  # tests may lose committed rows; this test checks whether that happens
        cursor.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = on')
    running = Product(servers.servers, free_port())
    try:
        running.start()
        yield running
    finally:
        running.stop()
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" RESET synchronous_commit')


def workers_are_well(port: int) -> bool:
    return health(port, "/healthz/workers") == 200


def health(port: int, path: str) -> int:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request("GET", path)
        return line.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        line.close()


def last_sweep_age_s(port: int) -> float | None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request("GET", "/healthz/workers")
        return json.loads(line.getresponse().read())["last_sweep_age_s"]
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        line.close()


def broker_refuses(product: Product, fault: Fault) -> None:
    product.leave_servers_down.set()
    product.server("redis_url").kill()
    time.sleep(REFUSED_S)
    product.leave_servers_down.clear()
    wait_for(product.servers.alive, "the broker was not started again")


def broker_hangs(product: Product, fault: Fault) -> None:
    broker = product.server("redis_url")
    broker.suspend()
    time.sleep(HUNG_S)
    broker.resume()


def postgres_is_killed(product: Product, fault: Fault) -> None:
    product.server("database_url").kill()
    wait_for(lambda: not product.servers.alive(), "PostgreSQL lives on")
    wait_for(database_responds, "PostgreSQL was not started again", within_s=120)


def database_responds() -> bool:
    connection.close()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return True
    except OperationalError:
        return False
    finally:
        connection.close()


def beat_is_killed(product: Product, fault: Fault) -> None:
    before = product.program("The clock").process
    product.kill("The clock")
    wait_for(lambda: product.program("The clock").process is not before, "the clock was not started again")


def web_is_killed(product: Product, fault: Fault) -> None:
    before = product.program("The web server").process
    product.kill("The web server")
    wait_for(lambda: product.program("The web server").process is not before, "the web server was not started again")
    wait_for(lambda: health(product.programs.port, "/healthz") == 200, "the web server was not started again")


FAULTS: dict[str, Callable[[Product, Fault], None]] = {
    "none": lambda product, fault: None,
    f"broker refused for {REFUSED_S:.0f} s": broker_refuses,
    f"broker hung for {HUNG_S:.0f} s": broker_hangs,
    "PostgreSQL killed": postgres_is_killed,
    "beat killed": beat_is_killed,
    "web server killed": web_is_killed,
}


def test_what_sixty_people_see_of_five_faults(product):
    study = factories.study(hold_after_skips=99)
    factories.pairs(study, 1500, wanted=4)
    port = product.programs.port
    roles = ["annotator"] * ANNOTATORS + ["researcher"] * RESEARCHERS
    people = [Somebody(port, study, role, seed) for seed, role in enumerate(roles)]
    connection.close()  # PostgreSQL will be killed
    wait_for(lambda: workers_are_well(port), "no sweep was noted", within_s=SWEPT_WITHIN_S)
    faults = []
    with at_work(people):
        time.sleep(QUIET_S)
        for name, strike in FAULTS.items():
            fault = Fault(name, began=time.monotonic())
            strike(product, fault)
            fault.back = time.monotonic()
            time.sleep(QUIET_S)
            fault.ended = time.monotonic()
            faults.append(fault)
            if name != "none":
                fault.swept_after_s = first_sweep_after(port, fault.back)
    for fault in faults:
        fault.count(people)
    acknowledged = [submission_id for person in people for submission_id in person.acknowledged]
    stored = recounting.stored(study.pk)
    lost, doubled = set(acknowledged) - set(stored), len(acknowledged) - len(set(acknowledged))
    write(faults, len(acknowledged), len(lost), doubled)
    assert len(acknowledged) > 200
    assert not lost
    assert not doubled
    assert len(stored) <= len(acknowledged) + ANNOTATORS  # requests that were in progress when the clock stopped
    assert recounting.contradictions(study.pk) == {}
    seen = {fault.name: fault.facts for fault in faults}
    for name, facts in seen.items():
        if "broker" in name or name in {"none", "beat killed"}:
            assert facts["failed"] == 0, (name, facts)
            assert facts["longest_s"] < LONGEST_WAIT_S, (name, facts)
    assert seen["PostgreSQL killed"]["after_back_s"] < ERRORS_AFTER_BACK_S
    assert seen["web server killed"]["after_back_s"] < ERRORS_AFTER_BACK_S


def first_sweep_after(port: int, moment: float) -> float:
    """Return the seconds from the moment to the end of the first sweep after it."""

    def swept() -> float | None:
        age_s = last_sweep_age_s(port)
        ended = None if age_s is None else time.monotonic() - age_s
        return ended if ended is not None and ended > moment else None

    return wait_for(swept, "no sweep ended after the fault", within_s=SWEPT_WITHIN_S) - moment


def write(faults: list[Fault], acknowledged: int, lost: int, doubled: int) -> None:
    facts = {"annotators": ANNOTATORS, "researchers": RESEARCHERS, "processors": os.cpu_count()}
    facts |= {"columns": " | ".join(COLUMNS), "lines": " | ".join("---" for _ in COLUMNS)}
    facts |= {"day": datetime.datetime.now(datetime.UTC).date(), "commit": present_commit()}
    counts = {"acknowledged": acknowledged, "lost": lost, "doubled": doubled}
    rows = "".join(f"{fault}\n" for fault in faults)
    TABLE.write_text(HEAD.format(**facts) + rows + TAIL.format(**counts))
