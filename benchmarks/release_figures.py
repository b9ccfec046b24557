"""The card and the figures of a release: seconds and memory by the number of answers, and what 5M answers would take.

Studies are filled by SQL with one answer a pair, one pair a prompt, and six generators. A release of each is made, and
then its numbers are made again, after a pass over the same items that computes nothing. A real study of 5M pairs has a
fourth of these prompts, so the search for near-duplicates takes less there.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

from benchmarks import claims, scratch
from diptych.embedded.servers import EmbeddedError

SIZES, QUICK_SIZES = (10_000, 40_000), (1_000, 3_000)
PLANNED = 5_000_000
LONGEST_MINUTES = 30.0
#: What makes the copies of `benchmarks.exporting.fill` differ: generators, types, labels, parts and choices.
VARIED = (
    "UPDATE catalog_video SET generator = 'generator-' || id %% 6 WHERE study_id = %(study)s",
    "UPDATE catalog_prompt SET prompt_type = CASE WHEN id %% 2 = 0 THEN 'safety_critical' ELSE 'safety_neutral' END,"
    " labels = CASE WHEN id %% 2 = 0 THEN ARRAY['violence'] ELSE '{}'::text[] END, labelled_by = 'benchmark',"
    " split = CASE WHEN id %% 10 = 0 THEN 'test' ELSE 'train' END,"
    " text = 'Scene ' || md5(id::text) || ' with ' || md5((id * 7)::text) || ' and ' || md5((id * 13)::text)"
    " WHERE study_id = %(study)s",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.release_figures", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument("--answers", type=int, action="append", metavar="N", help="number of answers, repeatable")
    options = parser.parse_args(arguments)
    sizes = options.answers or (QUICK_SIZES if options.quick else SIZES)
    try:
        with scratch.servers("diptych.settings"):
            runs = [measure(answers) for answers in sizes]
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    judged = judge(runs)
    print(f"\n{summary_table(runs)}\n\n{claims.claims_table(judged)}")
    if options.json:
        claims.write(options.json, judged, {"runs": runs})
    return 0


def measure(answers: int) -> dict[str, Any]:
    """Make a release of a new study with that many answers, and its numbers once more. Return what was measured."""
    from django.db import connection

    from benchmarks.exporting import fill, peak_mib
    from release_card import numbers
    from releases import making
    from releases.filters import Filter
    from releases.items import Items

    study = fill(answers)
    with connection.cursor() as cursor:
        for statement in VARIED:
            cursor.execute(statement, {"study": study.pk})
    wanted = making.Wanted(
        filter=Filter(decisions=("none",)), licence="CC0-1.0", licence_reason="A benchmark", formats=["jsonl"]
    )
    release = making.ask(study, wanted, actor=None, announce=False)
    making.run(release.pk)
    release.refresh_from_db()
    begun = time.perf_counter()
    for _item in Items(release).current():
        pass
    read = time.perf_counter() - begun
    made = numbers.of_release(release, Items(release))
    seconds = time.perf_counter() - begun - read
    run = {"answers": made["counts"]["answers"], "read_s": read, "seconds": seconds, "peak_mib": peak_mib()}
    print(summary_table([run]), flush=True)
    return run


def judge(runs: Sequence[dict[str, Any]]) -> list[claims.Claim]:
    """Return the claims. Minutes at the planned size follow from what each answer more takes."""
    first, last = runs[0], runs[-1]
    more = last["answers"] - first["answers"]
    each = (last["seconds"] - first["seconds"]) / more if more else last["seconds"] / last["answers"]
    grown = (last["peak_mib"] - first["peak_mib"]) / more * 1e6 if more else 0.0
    return [
        claims.at_most(f"{PLANNED:,} answers, extrapolated", each * PLANNED / 60, LONGEST_MINUTES, "min"),
        claims.at_most("times a pass that computes nothing", last["seconds"] / last["read_s"], 5.0, "times"),
        claims.at_most("memory for a million answers more", grown, 500.0, "MiB"),
    ]


def summary_table(runs: Sequence[dict[str, Any]]) -> str:
    """Return the measured numbers as a table."""
    heads = ["answers", "seconds", "answers/s", "pass, s", "times pass", "MiB"]
    rows = [
        [
            *(f"{run['answers']:,}", f"{run['seconds']:.1f}", f"{run['answers'] / run['seconds']:,.0f}"),
            *(f"{run['read_s']:.1f}", f"{run['seconds'] / run['read_s']:.1f}", f"{run['peak_mib']:.0f}"),
        ]
        for run in runs
    ]
    return claims.table(heads, rows)


if __name__ == "__main__":
    sys.exit(main())
