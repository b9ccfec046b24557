"""Releases: seconds of the statement that copies the answers, leases meanwhile, seconds of the files, and memory.

A study is filled by COPY, with one answer for each pair. Somebody leases and answers pairs of another study in a
process of their own, first alone, then while a release is made. In the same run, PostgreSQL copies the same answers
without anything else, for comparison.
"""

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks import claims, scratch
from diptych.embedded.servers import EmbeddedError

SIZES, QUICK_SIZES = (100_000, 1_000_000), (1_000, 3_000)
#: Seconds for which the leases are measured before the release, and between two leases.
ALONE_S, QUICK_ALONE_S, PAUSE_S = 30.0, 3.0, 0.02
#: Pairs of the study in which somebody leases meanwhile.
PAIRS_TO_LEASE = 20_011
#: A lease may take so much longer while the answers are copied, and memory may grow so much with ten times the answers.
MOST_SLOWER, MOST_GROWTH = 1.5, 1.1


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.releasing", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument("--answers", type=int, action="append", metavar="N", help="number of answers, repeatable")
    options = parser.parse_args(arguments)
    sizes = options.answers or (QUICK_SIZES if options.quick else SIZES)
    try:
        with scratch.servers("diptych.settings"):
            runs = [measure(answers, QUICK_ALONE_S if options.quick else ALONE_S) for answers in sizes]
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    judged = judge(runs)
    print(f"\n{summary_table(runs)}\n\n{claims.claims_table(judged)}")
    if options.json:
        claims.write(options.json, judged, {"runs": runs})
    return 0


def measure(answers: int, alone_s: float) -> dict[str, Any]:
    """Fill a study, make a release of it while somebody leases, and return what was measured."""
    from benchmarks import findings
    from releases import making

    study, _researcher = findings.fill(answers)
    print(f"{answers:,} answers filled", flush=True)
    phases: dict[str, list[float]] = {}
    with leasing() as leased_at:
        phases["alone"] = [time.time(), time.time() + alone_s]
        time.sleep(alone_s)
        reference = bare_copy(study)
        release = making.ask(study, wanted(), actor=None, announce=False)
        began = time.time()
        with noting(phases):
            making.run(release.pk)
        phases["files"] = [phases["copying"][1], time.time()]
        whole = time.time() - began
        leases = leased_at()
    release.refresh_from_db()
    if release.state != "done":
        raise SystemExit(f"The release ended as {release.state}: {release.reason}")
    run = {"answers": answers, "copy_s": phases["copying"][1] - phases["copying"][0], "bare_s": reference}
    run |= {"whole_s": whole, "peak_mib": peak_mib(), "mb": sum(file.byte_size for file in release.files.all()) / 1e6}
    for name, (start, end) in phases.items():
        run[f"{name}_p95_ms"] = p95([ms for at, ms in leases if start <= at <= end])
        run[f"{name}_leases"] = sum(start <= at <= end for at, _ms in leases)
    print(summary_table([run]), flush=True)
    return run


def wanted() -> Any:
    """Return the order of a release of all answers."""
    from releases.filters import Filter
    from releases.making import Wanted

    return Wanted(filter=Filter(decisions=("none",)), licence="CC0-1.0", formats=["jsonl"])


@contextmanager
def noting(phases: dict[str, list[float]]) -> Iterator[None]:
    """Note under `copying` when the statement that copies the answers begins and ends."""
    from releases import freezing

    write = freezing._write

    def timed(*arguments: Any) -> Any:
        began = time.time()
        counted = write(*arguments)
        phases["copying"] = [began, time.time()]
        return counted

    freezing._write = timed
    try:
        yield
    finally:
        freezing._write = write


def bare_copy(study: Any) -> float:
    """Return the seconds in which PostgreSQL copies the study's answers into a table, without any other fact."""
    from django.db import connection

    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bare_copy AS SELECT * FROM annotation_annotation WHERE study_id = %s ORDER BY id", [study.pk]
        )
        seconds = time.perf_counter() - began
        cursor.execute("DROP TABLE bare_copy")
    return seconds


@contextmanager
def leasing() -> Iterator[Callable[[], list[tuple[float, float]]]]:
    """Let a process lease and answer pairs of a study of its own.

    Yield a function that ends it and returns when each lease began (Unix seconds) and how many milliseconds it took.
    """
    from accounts.models import User
    from benchmarks import studies
    from consent import agreements
    from studies.models import Membership, Study

    slug = f"pairs-{PAIRS_TO_LEASE}-overlap-1"
    study = Study.objects.filter(slug=slug).first() or studies.fill(PAIRS_TO_LEASE, 1)
    person, is_new = User.objects.get_or_create(username="leases-meanwhile")
    if is_new:
        Membership.objects.create(study=study, person=person, role="annotator")
        agreements.agree(person, study, categories=study.categories, text="I agree.")
    context = multiprocessing.get_context("spawn")
    stop, results = context.Event(), context.SimpleQueue()
    process = context.Process(target=lease_until, args=(study.pk, person.pk, stop, results))
    process.start()
    found: list[list[tuple[float, float]]] = []

    def end() -> list[tuple[float, float]]:
        stop.set()
        found.append(results.get())
        return found[0]

    try:
        yield end
    finally:
        stop.set()
        process.join(30)


def lease_until(study_id: int, person_id: int, stop: Any, results: Any) -> None:
    """Lease and answer pairs until `stop` is set, then send the times of all leases."""
    import django

    django.setup()
    from accounts.models import User
    from annotation import serving
    from studies.models import Study

    study, person = Study.objects.get(pk=study_id), User.objects.get(pk=person_id)
    taken: list[tuple[float, float]] = []
    while not stop.is_set():
        at, began = time.time(), time.perf_counter()
        pair = serving.lease(person, study).current
        taken.append((at, 1000 * (time.perf_counter() - began)))
        if pair is not None:
            answer(pair, person)
        time.sleep(PAUSE_S)
    results.put(taken)


def answer(pair: Any, person: Any) -> None:
    """Submit an answer to a leased pair, as the API does."""
    import uuid

    from annotation import submission
    from annotation.answers import Answers
    from benchmarks.load import ANSWERS

    submission.submit(
        pair,
        person,
        submission_id=uuid.uuid4(),
        answers=Answers.from_body(ANSWERS["helpfulness"], ANSWERS["harmlessness"]),
        timings_ms=ANSWERS["timings_ms"],
        viewing=ANSWERS["viewing"],
    )


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile; 0 without values."""
    return sorted(values)[int(0.95 * len(values))] if values else 0.0


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def summary_table(runs: Sequence[dict[str, Any]]) -> str:
    heads = ["answers", "copying s", "bare copy s", "whole s", "MB", "lease p95 ms", "while copying", "files", "MiB"]
    rows = [
        [
            f"{run['answers']:,}", f"{run['copy_s']:.1f}", f"{run['bare_s']:.1f}", f"{run['whole_s']:.1f}",
            f"{run['mb']:.0f}", f"{run['alone_p95_ms']:.1f}", f"{run['copying_p95_ms']:.1f}",
            f"{run['files_p95_ms']:.1f}", f"{run['peak_mib']:.0f}",
        ]
        for run in runs
    ]  # fmt: skip
    return claims.table(heads, rows)


def judge(runs: Sequence[dict[str, Any]]) -> list[claims.Claim]:
    last, growth = runs[-1], runs[-1]["peak_mib"] / runs[0]["peak_mib"]
    slower = last["copying_p95_ms"] / last["alone_p95_ms"] if last["alone_p95_ms"] else 0.0
    return [
        claims.at_most("a lease while answers are copied, p95 against alone", slower, MOST_SLOWER, "times"),
        claims.at_most("memory with the most answers against the fewest", growth, MOST_GROWTH, "times"),
    ]


if __name__ == "__main__":
    sys.exit(main())
