"""Pages of quality control on a large study: how long each takes, and what a lease of a review costs.

The study is filled by COPY, its rules are run, and it has lots in every stage (`reviewed_study.py`). Every page is
requested 20 times in each of its states. A lease of a review is compared with a lease of a pair in the same process, in
turn. Other programs on the machine slow both. So the time that processors spend on a page, in this process and in its
database connection, is measured too: it hardly depends on who else is at work.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import claims, reviewed_study, scratch
from benchmarks.reviewed_study import ReviewedStudy
from diptych.embedded.servers import EmbeddedError

SIZE, QUICK_SIZE = 100_000, 3_000
LONGEST_PAGE_MS = 200.0
#: Requests of each address, and leases of each kind.
REQUESTS, LEASES = 40, 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.review", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument("--answers", type=int, metavar="N", help=f"number of answers (default: {SIZE:,})")
    options = parser.parse_args(arguments)
    answers = options.answers or (QUICK_SIZE if options.quick else SIZE)
    try:
        with scratch.servers("diptych.settings"):
            print(f"Filling {answers:,} answers", flush=True)
            study = reviewed_study.fill(answers)
            measured = pages(study)
            leases = lease_costs(study)
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    judged = judge(measured, leases)
    print(f"\n{pages_table(measured)}\n\n{leases_table(leases)}\n\n{claims.claims_table(judged)}")
    if options.json:
        claims.write(options.json, judged, {"answers": answers, "pages": measured, "leases": leases})
    return 0


# --- Pages --------------------------------------------------------------------------------------------------------


def addresses(study: ReviewedStudy) -> dict[str, list[str]]:
    """Return the addresses of each page, in the states that differ."""
    from django.urls import reverse

    def at(name: str, *arguments: Any, query: str = "") -> str:
        return reverse(name, args=[study.study.slug, *arguments]) + query

    stages = (study.accepted, study.secondary, study.spot, study.large, study.draft)
    parts = ("", "?part=sample", "?part=judged", "?part=defects", "?part=found", "?part=counting", "?page=9")
    shown = ("", "?rule=contradiction", "?severity=warning", "?severity=note", "?batch=1", "?state=all&sort=earliest")
    return {
        "dashboard": [at("figures:dashboard")],
        "lots": [at("qc:lots")],
        "new lot": [at("qc:new_lot")],
        "lot": [at("qc:lot", lot.number) for lot in stages],
        "lot answers": [at("qc:lot_answers", lot.number, query=part) for lot in stages[:4] for part in parts],
        "reviews": [at("qc:reviews")],
        "review": [at("qc:review", study.secondary.number, "look"), at("qc:review", study.large.number, "spot")],
        "findings": [at("findings:findings", query=query) for query in shown],
        "rules": [at("findings:rules")],
        "quality": [at("figures:quality"), at("figures:quality", query=f"?lot={study.spot.number}")],
        "waiting": [
            at("figures:waiting", query=f"?kind={kind}") for kind in ("secondary", "spot", "confirm", "adjudicate")
        ],
        "defects": [at("figures:defects"), at("figures:defects", query="?question=helpfulness")],
        "decided": [at("figures:decided"), at("figures:decided", query="?attempt=first&outcome=accepted")],
        "reviewed": [
            at("figures:reviewed", query=query) for query in ("?kind=spot", "?kind=spot&random=yes&called=yes")
        ],
        "reviewers": [at("qc:reviewers")],
        "agreement": [at("figures:agreement"), at("figures:agreement_pairs")],
        "annotators": [at("figures:annotators"), *(at("figures:annotator", one) for one in _authors(study))],
        "controls": [at("controls:controls"), at("controls:control_people"), at("controls:control_results")],
        "suspensions": [at("suspensions:suspensions")],
        "pauses": [at("suspensions:pauses"), at("suspensions:pause_rules")],
        "calibrations": [at("calibration:calibrations")],
        "people": [at("answers:people_progress")],
    }


def _authors(study: ReviewedStudy) -> list[str]:
    """Return the code of one annotator."""
    from studies.pseudonyms import pseudonym

    return [pseudonym(study.study, study.simulated.annotators[0].pk)]


def pages(study: ReviewedStudy) -> list[dict[str, Any]]:
    """Return for each page the median and the 95th percentile, in milliseconds, and its slowest address."""
    from django.test import Client

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(_head(study), backend="accounts.backends.PersonBackend")
    found = []
    for name, queries in addresses(study).items():
        slowest, taken, spent = ("", 0.0), [], 0.0
        for address in queries:
            ask = timer(lambda address=address: client.get(address))
            ask()
            before = processor_ms()
            here = sorted(ask() for _ in range(REQUESTS))
            spent = max(spent, (processor_ms() - before) / REQUESTS)
            taken += here
            slowest = max(slowest, (address, here[len(here) // 2]), key=lambda one: one[1])
        taken.sort()
        at = {"median_ms": taken[len(taken) // 2], "p95_ms": taken[int(0.95 * len(taken))]}
        at["processor_ms"] = spent
        found.append({"page": name, **at, "slowest": slowest[0], "slowest_median_ms": slowest[1]})
        print(f"  {name}: p95 {at['p95_ms']:.0f} ms, slowest {slowest[0]} with {slowest[1]:.0f} ms", flush=True)
    return found


def processor_ms() -> float:
    """Return the milliseconds of processor time of this process and of its database connection so far."""
    from django.db import connection

    connection.ensure_connection()
    fields = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])  # user and system time; the fields after the name begin with the third
    return 1000 * (time.process_time() + ticks / os.sysconf("SC_CLK_TCK"))


def _head(study: ReviewedStudy) -> Any:
    """Return a researcher who also runs the study, so that every page opens."""
    from studies.models import Membership

    head = study.simulated.researchers[0]
    Membership.objects.get_or_create(study=study.study, person=head, role="admin")
    return head


def timer(call: Callable[[], Any]) -> Callable[[], float]:
    """Return a function that calls `call`, which must succeed, and returns the milliseconds."""

    def timed() -> float:
        began = time.perf_counter()
        response = call()
        if response.status_code != 200:
            raise SystemExit(f"A page responded with status {response.status_code}.")
        return 1000 * (time.perf_counter() - began)

    return timed


# --- Leases -------------------------------------------------------------------------------------------------------


def lease_costs(study: ReviewedStudy) -> list[dict[str, Any]]:
    """Return for pairs and for each kind of review how long a lease takes, in milliseconds. They take turns.

    Each lease is a new one: what was leased before is skipped, which is not measured.
    """
    from qc.models.reviews import Kind

    leases = {"pair": _pairs(study)}
    for kind, lot, people in (
        (Kind.SECONDARY, study.secondary, study.simulated.reviewers),
        (Kind.SPOT, study.spot, study.simulated.researchers),
        (Kind.CONFIRM, study.large, study.simulated.researchers),
        (Kind.LOOK, study.spot, study.simulated.researchers),
        (Kind.LOOK, study.large, study.simulated.researchers),
    ):
        size = "" if lot is not study.large else f", lot of {lot.frame_size:,}"
        leases[f"{Kind(kind).label}{size}"] = _reviews(lot, kind, people)
    taken: dict[str, list[float]] = {name: [] for name in leases}
    for turn in range(LEASES + 3):
        for name, lease in leases.items():
            milliseconds = next(lease, None)
            if turn >= 3 and milliseconds is not None:
                taken[name].append(milliseconds)
    rows = []
    for name, each in taken.items():
        each.sort()
        if each:
            rows.append({"lease": name, "median_ms": each[len(each) // 2], "p95_ms": each[int(0.95 * len(each))]})
    return [row | {"ratio": row["median_ms"] / rows[0]["median_ms"]} for row in rows]


def _pairs(study: ReviewedStudy) -> Iterator[float]:
    """Lease a pair, and the one after it, for one person after another, by the address that the workspace calls."""
    from django.urls import reverse

    from annotation import serving
    from annotation.models import Assignment

    address = reverse("api:lease", args=[study.study.slug])
    while True:
        for person in study.simulated.annotators:
            yield _posted(person, address, {})
            for mine in Assignment.objects.filter(study=study.study, person=person, state="leased").order_by("place"):
                serving.release(mine, person)


def _reviews(lot: Any, kind: str, people: Sequence[Any]) -> Iterator[float]:
    """Lease a sitting, and the one after it, by the address that the review page calls."""
    from django.urls import reverse

    from qc import reviewing
    from qc.models import Review

    address = reverse("api:lease_review", args=[lot.pk])
    while True:
        for person in people:
            milliseconds = _posted(person, address, {"kind": kind, "ahead": True})
            leased = Review.objects.filter(lot=lot, reviewer=person, kind=kind, state="leased").order_by("pk")
            if not leased:
                return
            yield milliseconds
            for review in leased.distinct("sitting").order_by("sitting"):
                reviewing.skip(review, person, reason="other")


_clients: dict[int, Any] = {}


def _posted(person: Any, address: str, body: dict[str, Any]) -> float:
    from django.test import Client

    if person.pk not in _clients:
        _clients[person.pk] = Client(headers={"host": "127.0.0.1"})
        _clients[person.pk].force_login(person, backend="accounts.backends.PersonBackend")
    client = _clients[person.pk]
    return timer(lambda: client.post(address, body, content_type="application/json"))()


# --- Tables -------------------------------------------------------------------------------------------------------


def pages_table(measured: Sequence[dict[str, Any]]) -> str:
    heads = ["page", "median ms", "p95 ms", "processor ms, slowest", "slowest address"]
    rows = [
        [row["page"], *(f"{row[name]:.0f}" for name in ("median_ms", "p95_ms", "processor_ms")), row["slowest"]]
        for row in measured
    ]
    return claims.table(heads, rows)


def leases_table(leases: Sequence[dict[str, Any]]) -> str:
    heads = ["lease", "median ms", "p95 ms", "of a pair"]
    rows = [[row["lease"], f"{row['median_ms']:.1f}", f"{row['p95_ms']:.1f}", f"{row['ratio']:.2f}"] for row in leases]
    return claims.table(heads, rows)


def judge(measured: Sequence[dict[str, Any]], leases: Sequence[dict[str, Any]]) -> list[claims.Claim]:
    found = [claims.at_most(f"{row['page']}, p95", row["p95_ms"], LONGEST_PAGE_MS, "ms") for row in measured]
    ratios = [claims.at_most(f"lease: {row['lease']}", row["ratio"], 1.0, "of a pair") for row in leases[1:]]
    return [*found, *ratios]


if __name__ == "__main__":
    sys.exit(main())
