"""How fast people are served: loops per second and waiting times of lease and submit, at many sizes.

N people answer without thinking time over keep-alive HTTP against the product as it is run. References are measured in
the same run, in turn with the product. They are: a loop by hand that writes the same rows, a view that responds with
`{}`, and for each hard case (`hard_cases`) the same study without it. After each run the rows are recounted.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from operator import attrgetter
from typing import Any

from benchmarks import claims
from benchmarks.claims import Claim, at_least, at_most, none_at_all
from benchmarks.scratch import Product, product
from diptych.embedded.state import REPOSITORY, EmbeddedError

#: Label Studio 1.23.2 at its best on this kind of machine: 20 people, PostgreSQL, gunicorn 2 × 10, 10,000 tasks.
PEER_LOOPS_A_SECOND = 15.75
USUAL_PAIRS = 10_000
#: As in `hard_cases.HARD`, which needs Django to be set up.
SNAPSHOT = "a snapshot held open"
HARD_NAMES = ("all have answered the head", "half opted out of the head", "5 % of leases expiring", SNAPSHOT)
WARM_UP_S = 2.0
LOAD_LIMIT_S = 120.0  # beyond the measured time


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure.

    It has the way in which people work (a key of `load.WAYS`), the study, the number of people, and what makes it hard
    (a key of `hard_cases.HARD`, or nothing).
    """

    way: str
    pairs: int
    overlap: int
    people: int
    hard: str = ""

    def __str__(self) -> str:
        crowd = "1 person" if self.people == 1 else f"{self.people} people"
        if self.hard:
            return f"{self.hard}, {self.pairs:,} pairs, {crowd}"
        if self.way == "empty":
            return f"empty view, {crowd}"
        return f"{self.way}, {self.pairs:,} pairs, overlap {self.overlap}, {crowd}"


@dataclass(slots=True)
class Measured:
    """The measurements of all runs of a case."""

    case: Case
    runs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def loops_a_second(self) -> float:
        """Return the median over the runs of loops per second. For the empty view these are requests."""
        counted = "empty" if self.case.way == "empty" else "submit"
        return statistics.median(run["calls"][counted]["count"] / run["seconds"] for run in self.runs)

    def milliseconds(self, kind: str, percent: int) -> float | None:
        """Return the median over the runs of a percentile of a kind of calls. None if the case makes no such calls."""
        if not all(kind in run["calls"] for run in self.runs):
            return None
        return statistics.median(run["calls"][kind][f"p{percent}_ms"] for run in self.runs)

    def total(self, *path: str) -> int:
        """Return a figure of the recounts, added up over the runs."""
        return sum(run["recount"][name] for run in self.runs for name in path)


@dataclass(frozen=True, slots=True)
class Plan:
    """The cases to measure, and the length of each measurement."""

    people: int
    pairs: tuple[int, ...]
    overlaps: tuple[int, ...]
    seconds: float
    repeats: int
    hard_pairs: int
    snapshot_s: float
    only: str = ""

    @property
    def usual_pairs(self) -> int:
        """Return the size that references and other sizes are compared with."""
        return USUAL_PAIRS if USUAL_PAIRS in self.pairs else min(self.pairs)

    @property
    def reference(self) -> Case:
        return Case("bare", self.usual_pairs, self.overlaps[0], self.people)

    @property
    def usual(self) -> Case:
        return Case("one request", self.usual_pairs, self.overlaps[0], self.people)

    @property
    def alone(self) -> Case:
        return Case("two requests", self.usual_pairs, self.overlaps[0], 1)

    @property
    def alone_empty(self) -> Case:
        return Case("empty", self.usual_pairs, self.overlaps[0], 1)

    @property
    def fresh(self) -> Case:
        """Return the case that the hard cases are compared with."""
        return Case("one request", self.hard_pairs, self.overlaps[0], self.people)

    def cases(self) -> list[Case]:
        """Return the cases in the order of one round. Each case of the product is next to its reference."""
        usual = [] if self.only == "hard" else self.usual_cases()
        hard = [] if self.only == "usual" else [self.fresh, *(replace(self.fresh, hard=name) for name in HARD_NAMES)]
        return [case for case in usual if case not in hard] + hard

    def seconds_of(self, case: Case) -> float:
        """Return the seconds of one measurement. Behind a snapshot it is longer: dead rows need time to pile up."""
        return max(self.seconds, self.snapshot_s) if case.hard == SNAPSHOT else self.seconds

    def usual_cases(self) -> list[Case]:
        product_cases = [
            Case(way, pairs, overlap, self.people)
            for overlap in self.overlaps
            for pairs in self.pairs
            for way in ("one request", "two requests")
        ]
        others = [case for case in product_cases if case != self.usual]
        return [self.alone_empty, self.alone, self.reference, self.usual, *others]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    options = parse(arguments)
    plan = Plan(
        options.people,
        options.pairs,
        options.overlap,
        options.seconds,
        options.repeats,
        options.hard_pairs,
        snapshot_s=0.0 if options.quick else 60.0,
        only=options.only,
    )
    try:
        with product("benchmarks.settings") as running:
            measured, facts = measure(running, plan)
    except (EmbeddedError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    judged = judge(plan, measured)
    print(f"\n{cases_table(measured)}\n\n{claims.claims_table(judged)}")
    if options.json:
        detail = {"plan": asdict(plan), "machine": facts, "cases": [asdict(one) for one in measured.values()]}
        claims.write(options.json, judged, detail)
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument("--people", type=positive, default=20)
    parser.add_argument("--pairs", type=numbers, default=(1000, 10_000), metavar="N,…", help="sizes of the studies")
    parser.add_argument("--overlap", type=numbers, default=(1, 3), metavar="N,…", help="answers wanted for each pair")
    parser.add_argument("--seconds", type=float, help="length of each measurement (8; quick: 1.5)")
    parser.add_argument("--repeats", type=positive, help="number of measurements of each case (5; quick: 1)")
    parser.add_argument(
        "--hard-pairs", type=positive, metavar="N", help="size of the hard cases (1000000; quick: 20000)"
    )
    parser.add_argument("--only", choices=["usual", "hard"], default="", help="leave out the other cases")
    options = parser.parse_args(arguments)
    options.seconds = options.seconds or (1.5 if options.quick else 8.0)
    options.repeats = options.repeats or (1 if options.quick else 5)
    options.hard_pairs = options.hard_pairs or (20_000 if options.quick else 1_000_000)
    return options


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def numbers(text: str) -> tuple[int, ...]:
    """Return `1000,10000` as numbers, smallest first."""
    return tuple(sorted({positive(part) for part in text.split(",")}))


# --- Measuring ----------------------------------------------------------------------------------------------


def measure(running: Product, plan: Plan) -> tuple[dict[Case, Measured], dict[str, Any]]:
    """Measure all cases, round by round, so that other work on the machine affects all of them."""
    from benchmarks import studies  # needs Django to be set up

    say("Filling studies")
    measured = {case: Measured(case) for case in plan.cases()}
    sizes = sorted({(case.pairs, case.overlap) for case in measured})
    filled = {size: studies.fill(*size) for size in sizes}
    people = studies.sign_in(plan.people, filled.values())
    studies.vacuum(studies.FILLED)
    facts = {"web_server": running.web_command, "processors": os.cpu_count(), "load_before": os.getloadavg()}
    facts |= studies.durability()

    for case in [case for case in (plan.reference, plan.usual, plan.alone_empty, plan.fresh) if case in measured]:
        say(f"Warming up: {case}")
        run(running, case, filled[case.pairs, case.overlap], people, WARM_UP_S)
    for repeat in range(plan.repeats):
        for case, results in measured.items():
            say(f"{repeat + 1} of {plan.repeats}: {case}")
            study = filled[case.pairs, case.overlap]
            results.runs.append(run(running, case, study, people, plan.seconds_of(case)))
    return measured, facts | {"load_after": os.getloadavg()}


def run(running: Product, case: Case, study: Any, people: list[dict[str, str]], seconds: float) -> dict[str, Any]:
    """Measure once from a fresh study. Return what the client saw, and a recount of the rows."""
    from benchmarks import studies
    from benchmarks.hard_cases import HARD

    studies.clear()
    plan = {
        "port": running.port,
        "way": case.way,
        "seconds": seconds,
        "study": {"id": study.pk, "slug": study.slug},
        "people": people[: case.people],
    }
    with HARD[case.hard](study, case.pairs, case.people) if case.hard else nullcontext({}) as facts:
        before = studies.recount(study).answers
        seen = drive(plan)
    if seen["refused"] or not seen["calls"]:
        raise RuntimeError(
            f"{case}: refused {seen['refused'] or 'nothing, but nothing was answered in time'}.\n"
            f"The web server's last words:\n{running.log_end()}"
        )
    recount = asdict(studies.recount(study))
    recount["missing_or_doubled"] = abs(recount["answers"] - before - seen["answers"])
    recount["missing_or_doubled"] += abs(recount["answers"] - recount["standings"])
    return seen | {"facts": facts, "recount": recount}


def drive(plan: dict[str, Any]) -> dict[str, Any]:
    """Let `benchmarks.load` carry out a plan in a process of its own. Raises RuntimeError if it fails."""
    command = [sys.executable, "-m", "benchmarks.load"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdin=pipe, stdout=pipe, text=True, start_new_session=True
    ) as client:
        try:
            output, _ = client.communicate(json.dumps(plan), timeout=plan["seconds"] + LOAD_LIMIT_S)
        except BaseException:
            client.kill()
            raise
    if client.returncode != 0:
        raise RuntimeError(f"The client failed on “{plan['way']}”; what it said is above.")
    return json.loads(output)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# --- Reporting ----------------------------------------------------------------------------------------------


def judge(plan: Plan, measured: dict[Case, Measured]) -> list[Claim]:
    """Return the claims of docs/benchmarks, from the measurements."""
    result = []
    if plan.only != "hard":
        result += judge_usual(plan, measured)
    if plan.only != "usual":
        result += judge_hard(plan, measured)
    runs = measured.values()
    return [
        *result,
        none_at_all("over-assigned pairs", sum(one.total("over_assigned") for one in runs), "pairs"),
        none_at_all(
            "open slots that a recount contradicts", sum(one.total("wrong_open_slots") for one in runs), "pairs"
        ),
        none_at_all("answers lost or doubled", sum(one.total("missing_or_doubled") for one in runs), "answers"),
    ]


def judge_usual(plan: Plan, measured: dict[Case, Measured]) -> list[Claim]:
    """Compare the product with the references, with the peer, and with itself at the largest size."""
    usual = measured[plan.usual].loops_a_second
    lease_ms = measured[plan.alone].milliseconds("lease", 50) or 0.0
    empty_ms = measured[plan.alone_empty].milliseconds("empty", 50) or 0.0
    shared = f"{plan.usual_pairs:,} pairs, {plan.people} people"
    result = [
        at_least(f"share of the bare loop ({shared})", 100 * usual / measured[plan.reference].loops_a_second, 60, "%"),
    ]
    if plan.people == 20:  # the peer was measured with 20 people
        result += [
            at_least(f"loops ({shared})", usual, 20 * PEER_LOOPS_A_SECOND, "a second"),
            at_least("loops against the peer's best", usual / PEER_LOOPS_A_SECOND, 20, "times"),
        ]
    result.append(at_most("lease p50 against the empty view, 1 person", lease_ms / empty_ms, 4, "times"))
    largest = max((case for case in measured if replace(plan.usual, pairs=case.pairs) == case), key=attrgetter("pairs"))
    if largest.pairs > plan.usual_pairs:
        slower = usual / measured[largest].loops_a_second
        result.append(
            at_most(f"time a loop, {largest.pairs:,} pairs against {plan.usual_pairs:,}", slower, 1.25, "times")
        )
    return result


def judge_hard(plan: Plan, measured: dict[Case, Measured]) -> list[Claim]:
    """Compare each hard case with the fresh study of its size."""
    fresh = measured[plan.fresh].loops_a_second
    return [
        at_most(
            f"time a loop, {case.hard} against fresh ({case.pairs:,} pairs)", fresh / one.loops_a_second, 1.5, "times"
        )
        for case, one in measured.items()
        if case.hard
    ]


def cases_table(measured: dict[Case, Measured]) -> str:
    rows = [
        [str(case), f"{one.loops_a_second:.1f}", waiting(one, "lease"), waiting(one, "submit"), waiting(one, "empty")]
        for case, one in measured.items()
    ]
    heads = ["medians; ms as p50 / p95 / p99", "loops/s", "lease", "submit", "empty"]
    return claims.table(heads, rows)


def waiting(one: Measured, kind: str) -> str:
    """Return `p50 / p95 / p99` in milliseconds."""
    values = [one.milliseconds(kind, percent) for percent in (50, 95, 99)]
    return " / ".join("–" if value is None else f"{value:.1f}" for value in values) if values[0] else "–"


if __name__ == "__main__":
    sys.exit(main())
