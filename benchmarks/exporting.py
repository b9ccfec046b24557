"""Downloads of many rows, as CSV and as JSON Lines: rows per second compared with COPY of the same rows, and memory.

A study is filled by SQL, with one answer for each of its pairs. Then each download is made as a request makes it, into
a temporary file. It alternates with a bare COPY of the same rows without columns of other tables.
"""

import argparse
import os
import resource
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks import claims, scratch
from diptych.embedded.servers import EmbeddedError, start

SIZES, QUICK_SIZES = (10_000, 100_000), (1_000, 5_000)
#: For the file that most people wait for, with the rows of the largest size.
LONGEST_S = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exporting", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument(
        "--repeats", type=int, default=3, metavar="N", help="how many times each is measured (default: 3)"
    )
    options = parser.parse_args(arguments)
    for number in scratch.STOP_SIGNALS:
        signal.signal(number, scratch.leave)
    for name in scratch.DROPPED:
        os.environ.pop(name, None)
    try:
        with scratch.folder() as home, start(home, purpose="a benchmark") as servers:
            os.environ.update(servers.environment(), DJANGO_SETTINGS_MODULE="diptych.settings")
            scratch.prepare_database()
            sizes = QUICK_SIZES if options.quick else SIZES
            runs = [run for rows in sizes for run in measure(rows, 1 if options.quick else options.repeats)]
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    judged = judge(runs)
    print(f"\n{summary_table(runs)}\n\n{claims.claims_table(judged)}")
    if options.json:
        claims.write(options.json, judged, {"runs": runs, "load": Path("/proc/loadavg").read_text()})
    return 0


def measure(rows: int, repeats: int) -> list[dict[str, Any]]:
    """Return a run for each download of a new study with that many pairs and answers."""
    from catalog.library.listing import PAIRS, PROMPTS, VIDEOS
    from diptych.spreadsheet import copy_table
    from exports import annotations

    study = fill(rows)
    downloads: dict[str, tuple[str, Callable[[Any], None]]] = {
        "annotations.jsonl": ("annotation_annotation", lambda target: annotations.copy(study, target)),
        **{
            f"{listing.name}.csv": (
                f"catalog_{listing.name[:-1]}",
                lambda target, listing=listing: copy_table(listing.columns, listing.rows(study).order_by("pk"), target),
            )
            for listing in (PROMPTS, VIDEOS, PAIRS)
        },
    }
    runs = []
    for name, (table, write) in downloads.items():
        pairs = [(timed(write), timed(bare_copy(table, study.pk))) for _ in range(repeats)]
        ours, bare = (min(seconds for seconds, _size in some) for some in zip(*pairs, strict=True))
        run = {"file": name, "rows": rows * (2 if "videos" in name else 1), "seconds": ours, "copy_s": bare}
        run |= {"mb": pairs[0][0][1] / 1e6, "peak_mib": peak_mib()}
        runs.append(run)
        print(summary_table([run]), flush=True)
    return runs


def fill(rows: int) -> Any:
    """Return a study with that many pairs, each answered by the same person."""
    from django.utils import timezone

    from accounts.models import User
    from annotation.models import Annotation, Assignment, Standing
    from benchmarks import studies
    from catalog.models import Pair

    study = studies.fill(rows, 1)
    person = User.objects.create(username=f"annotator-{rows}", password="!")  # noqa: S106 - nobody signs in
    common = {"study": study, "protocol_version": 1, "guideline_version": 1}
    with studies.unchecked():
        pair = Pair.objects.filter(study=study).earliest("pk")
        assignment = Assignment.objects.create(
            **common,
            person=person,
            pair=pair,
            left="video_0",
            dimension_first="helpfulness",
            state="submitted",
            expires_at=timezone.now() + timedelta(minutes=30),
            ended_at=timezone.now(),
        )
        studies.multiply(assignment, rows - 1, pair_id="first.pair_id + copy")
        answers = ("instruction_following", "correctness", "informativeness", "aesthetics", "helpfulness")
        annotation = Annotation.objects.create(
            **common,
            **dict.fromkeys((*answers, "harmlessness"), "video_0"),
            assignment=assignment,
            author=person,
            submission_id=uuid.uuid4(),
            tags_video_0=[],
            tags_video_1=["violence"],
            timings_ms={"helpfulness": 20_000, "harmlessness": 12_000, "total_active": 42_000},
            viewing={video: {"played_ms": 8_000, "loops": 2, "seeks": [0.5, 1.25]} for video in ("video_0", "video_1")},
        )
        studies.multiply(
            annotation, rows - 1, assignment_id="first.assignment_id + copy", submission_id="gen_random_uuid()"
        )
        standing = Standing(study=study, assignment=assignment, current=annotation, counted=True)
        standing.save(force_insert=True)
        with_all_standings(standing, rows - 1)
    studies.vacuum(["annotation_assignment", "annotation_annotation", "annotation_standing", *studies.FILLED])
    return study


def with_all_standings(standing: Any, copies: int) -> None:
    """Write a standing for each of the other assignments, under the assignment's key."""
    from django.db import connection

    columns = [field.column for field in standing._meta.concrete_fields]
    moved = {"assignment_id": "assignment_id + copy", "current_id": "current_id + copy"}
    values = ", ".join(moved.get(column, f'"{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO annotation_standing ({names}) SELECT {values} FROM annotation_standing,"  # noqa: S608 - of columns
            " generate_series(1, %s) copy WHERE assignment_id = %s",
            [copies, standing.assignment_id],
        )


def bare_copy(table: str, study: int) -> Callable[[Any], None]:
    """Return a function that copies the table's own rows of the study, as they are."""
    from diptych.downloads import copy_rows

    return lambda target: copy_rows(f"SELECT * FROM {table} WHERE study_id = %s", [study], "FORMAT csv", target)  # noqa: S608 - names from above


def timed(write: Callable[[Any], None]) -> tuple[float, int]:
    """Return the seconds that making the file takes, and its size in bytes."""
    from diptych.downloads import BUFFER_BYTES, CopyFile, one_moment

    begun = time.perf_counter()
    with tempfile.TemporaryFile(buffering=BUFFER_BYTES) as file:
        made = CopyFile(file)
        with one_moment():
            write(made)
        file.flush()
    return time.perf_counter() - begun, made.size


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def summary_table(runs: Sequence[dict[str, Any]]) -> str:
    heads = ["file", "rows", "MB", "seconds", "rows/s", "COPY s", "times COPY", "MiB"]
    rows = [
        [
            run["file"], f"{run['rows']:,}", f"{run['mb']:.1f}", f"{run['seconds']:.2f}",
            f"{run['rows'] / run['seconds']:,.0f}", f"{run['copy_s']:.2f}", f"{run['seconds'] / run['copy_s']:.1f}",
            f"{run['peak_mib']:.0f}",
        ]
        for run in runs
    ]  # fmt: skip
    return claims.table(heads, rows)


def judge(runs: Sequence[dict[str, Any]]) -> list[claims.Claim]:
    largest = max(run["rows"] for run in runs if run["file"] == "pairs.csv")
    judged = [
        claims.at_most(f"{largest:,} rows of {run['file']}", run["seconds"], LONGEST_S, "s")
        for run in runs
        if run["rows"] == largest and run["file"] != "videos.csv"
    ]
    memory = [run["peak_mib"] for run in runs]
    return [*judged, claims.at_most("memory at the end against the beginning", max(memory) / memory[0], 1.1, "times")]


if __name__ == "__main__":
    sys.exit(main())
