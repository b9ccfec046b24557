"""Imports of many pairs from JSONL, validated: rows per second compared with COPY, and memory by size.

Each import runs in a process of its own, whose peak memory is reported. Then the rows that it wrote are taken out of
the tables and brought back by COPY, with the same indexes, checks and foreign keys.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from benchmarks import claims, scratch
from diptych.embedded.servers import EmbeddedError, start

SIZES, QUICK_SIZES = (10_000, 100_000, 1_000_000), (2_000, 20_000)
#: About the published proportion: 3.9 videos and 3.5 pairs a prompt, 27 words a prompt, 42 % of the texts refined.
VIDEOS_A_PROMPT, PAIRS_A_PROMPT, MEAN_WORDS, REFINED = 4, 4, 27, 0.42
TABLES = ("catalog_prompt", "media_asset", "catalog_video", "catalog_batch", "catalog_pair")
EMPTIED = f"TRUNCATE {', '.join(TABLES)}, studies_study, accounts_auditevent CASCADE"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.importing", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument("--pairs", type=sizes, help="sizes, such as 10000,100000 (default: 10000,100000,1000000)")
    parser.add_argument("--files", type=int, default=1000, metavar="N", help="distinct files (default: 1000)")
    parser.add_argument(
        "--repeats", type=int, default=1, metavar="N", help="how many times each size is measured (default: 1)"
    )
    parser.add_argument("--import", type=Path, metavar="FOLDER", dest="folder", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.folder:
        print(json.dumps(import_here(options.folder)))
        return 0
    for number in scratch.STOP_SIGNALS:
        signal.signal(number, scratch.leave)
    for name in scratch.DROPPED:
        os.environ.pop(name, None)
    try:
        with scratch.folder() as home, start(home, purpose="a benchmark") as servers:
            os.environ.update(servers.environment(), DJANGO_SETTINGS_MODULE="diptych.settings")
            scratch.prepare_database()
            runs = measure(home.path, options)
    except (EmbeddedError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    judged = judge(runs)
    print(f"\n{summary_table(runs)}\n\n{claims.claims_table(judged)}")
    if options.json:
        claims.write(
            options.json, judged, {"runs": runs, "files": options.files, "load": Path("/proc/loadavg").read_text()}
        )
    return 0


def sizes(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def measure(scratch_folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    runs = []
    for pairs in options.pairs or (QUICK_SIZES if options.quick else SIZES):
        folder = write_material(scratch_folder / f"pairs-{pairs}", pairs, options.files)
        for _ in range(options.repeats):
            load = os.getloadavg()[0]
            command = [sys.executable, "-m", "benchmarks.importing", "--import", str(folder)]
            said = subprocess.run(command, capture_output=True, text=True, check=False)
            if said.returncode:
                raise RuntimeError(f"The import of {pairs} pairs failed:\n{said.stderr[-3000:]}")
            run = json.loads(said.stdout.splitlines()[-1]) | {"pairs": pairs, "load_before": load}
            run["copy_s"] = copy_again(scratch_folder)
            runs.append(run)
            print(summary_table([run]), flush=True)
    return runs


# --- Material -----------------------------------------------------------------------------------------


def write_material(folder: Path, pairs: int, files: int) -> Path:
    """Write a folder with a manifest of that many listed pairs, and tiny files that videos of different seeds share."""
    (folder / "clips").mkdir(parents=True)
    for number in range(files):
        (folder / f"clips/{number}.mp4").write_bytes(f"not really a video: {number}".encode())
    with (folder / "manifest.jsonl").open("w", encoding="utf-8") as manifest:
        for line in lines(pairs, files):
            manifest.write(json.dumps(line) + "\n")
    return folder


def lines(pairs: int, files: int) -> Iterator[dict[str, Any]]:
    """Yield prompts, each followed by its videos and pairs. Words are as frequent as in a language: 1 / rank."""
    draw = Random(1)
    words = [word(rank) for rank in range(5000)]
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(words))))
    for number in range(pairs // PAIRS_A_PROMPT):
        prompt = f"prompt-{number}"
        text = " ".join(draw.choices(words, cum_weights=weights, k=max(4, int(draw.gauss(MEAN_WORDS, 10)))))
        kind = draw.choice(("safety_neutral", "safety_critical"))
        yield {
            "type": "prompt",
            "id": prompt,
            "text": text,
            "prompt_type": kind,
            "source": "real_user",
            "licence": "CC0-1.0",
        }
        for video in range(VIDEOS_A_PROMPT):
            line = {
                "type": "video", "id": f"{prompt}-{video}", "prompt": prompt, "generator": f"generator-{video}",
                "path": f"clips/{(number * VIDEOS_A_PROMPT + video) % files}.mp4", "seed": number,
            }  # fmt: skip
            if draw.random() < REFINED:
                more = " ".join(draw.choices(words, cum_weights=weights, k=MEAN_WORDS))
                line |= {"video_text": f"{text} {more}", "refined_by": "a refiner 1.0"}
            yield line
        for pair in range(PAIRS_A_PROMPT):
            other = (pair + 1) % VIDEOS_A_PROMPT
            yield {"type": "pair", "video_0": f"{prompt}-{pair}", "video_1": f"{prompt}-{other}"}


def word(rank: int) -> str:
    letters = Random(rank)
    return "".join(letters.choice("bdfklmnprst") + letters.choice("aeiou") for _ in range(1 + rank.bit_length() // 4))


# --- Importing ----------------------------------------------------------------------------------------


def import_here(folder: Path) -> dict[str, Any]:
    """Import in this process. Return what was added, the seconds of each stage, and the peak memory in MiB."""
    import django

    django.setup()
    from importing.progress import Progress
    from importing.study import import_study

    stages: dict[str, float] = {}

    class Clock(Progress):
        def begin(self, stage: str, total: int) -> None:
            self.end()
            self.stage, self.begun = stage, time.perf_counter()

        def end(self) -> None:
            if hasattr(self, "stage"):
                stages[self.stage] = stages.get(self.stage, 0) + time.perf_counter() - self.begun
                del self.stage

    before = peak_mib()
    begun = time.perf_counter()
    report = import_study(folder, "imported", progress=Clock())
    took = time.perf_counter() - begun
    if not report.imported:
        raise SystemExit(f"refused: {report.bad[:3]}")
    added = {name: getattr(report, name).added for name in ("prompts", "videos", "assets", "pairs")}
    memory = {"peak_mib": peak_mib(), "before_mib": before}
    return {"seconds": took, "processor_s": time.process_time(), "stages": stages, "added": added} | memory


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def copy_again(folder: Path) -> float:
    """Return the seconds in which COPY brings the same rows into the same tables, in one transaction.

    The tables are empty afterwards.
    """
    from django.db import connection, transaction

    from benchmarks.studies import unchecked

    with connection.cursor() as cursor:
        columns = {table: written_columns(cursor, table) for table in TABLES}
        for table in TABLES:
            with (folder / table).open("wb") as file, cursor.copy(f"COPY {table} ({columns[table]}) TO STDOUT") as out:
                for block in out:
                    file.write(block)
        with unchecked():
            cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
        cursor.execute("CHECKPOINT")
        begun = time.perf_counter()
        with transaction.atomic():
            for table in TABLES:
                with (
                    (folder / table).open("rb") as file,
                    cursor.copy(f"COPY {table} ({columns[table]}) FROM STDIN") as to,
                ):
                    while block := file.read(1 << 16):
                        to.write(block)
        took = time.perf_counter() - begun
        with unchecked():
            cursor.execute(EMPTIED)
    for table in TABLES:
        (folder / table).unlink()
    return took


def written_columns(cursor: Any, table: str) -> str:
    cursor.execute(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        [table],
    )
    return str(cursor.fetchone()[0])


# --- Reporting ----------------------------------------------------------------------------------------


def summary_table(runs: Sequence[dict[str, Any]]) -> str:
    heads = ["pairs", "seconds", "pairs/s", "rows/s", "COPY s", "of COPY", "MiB", "stages"]
    rows = [
        [
            f"{run['pairs']:,}", f"{run['seconds']:.1f}", f"{run['pairs'] / run['seconds']:,.0f}",
            f"{sum(run['added'].values()) / run['seconds']:,.0f}", f"{run['copy_s']:.1f}",
            f"{run['copy_s'] / run['seconds']:.0%}", f"{run['peak_mib']:.0f}",
            ", ".join(f"{name} {seconds:.1f}" for name, seconds in run["stages"].items()),
        ]
        for run in runs
    ]  # fmt: skip
    return claims.table(heads, rows)


def judge(runs: Sequence[dict[str, Any]]) -> list[claims.Claim]:
    *_, before, largest = sorted({run["pairs"] for run in runs} | {0})
    rates = [run["pairs"] / run["seconds"] for run in runs if run["pairs"] == largest]
    judged = [claims.at_least(f"pairs with their prompts and videos ({largest:,})", median(rates), 20_000, "a second")]
    if before:
        peaks = {size: median(run["peak_mib"] for run in runs if run["pairs"] == size) for size in (before, largest)}
        growth = peaks[largest] / peaks[before]
        judged.append(claims.at_most(f"memory at {largest:,} pairs against {before:,}", growth, 1.1, "times"))
    return judged


if __name__ == "__main__":
    sys.exit(main())
