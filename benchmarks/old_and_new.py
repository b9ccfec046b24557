"""Find out whether a change made serving slower: run two checkouts side by side, and drive them in turn.

    python -m benchmarks.old_and_new OLD_CHECKOUT --starts 5 --turns 6

Each checkout needs a `.venv` of its own. Both products run during a start, and each turn drives one and then the other
for a few seconds, so that other work on the machine affects both alike. Programs are faster or slower by chance from
one start to the next (addresses in memory), so a start counts as one measurement.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import claims, held
from diptych.embedded.state import REPOSITORY

#: What is driven: the product as the page uses it, and the loop by hand that it is compared with.
WAYS = ("one request", "bare")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.old_and_new", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument("old", type=Path, help="the checkout to compare with")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--turns", type=int, default=6, help="turns of each start")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each measurement")
    options = parser.parse_args(arguments)
    starts = []
    for number in range(1 if options.quick else options.starts):
        starts.append(measure({"old": options.old, "new": REPOSITORY}, options.turns, options.seconds))
        print(f"{number + 1}: {starts[-1]}", file=sys.stderr, flush=True)
    loops = [one["one request"] for one in starts]
    shares = [one["one request"] / one["bare"] for one in starts]
    judged = [
        claims.at_least("loops per second, new against old", 100 * statistics.median(loops), 97, "%"),
        claims.at_least("share of the bare loop, new against old", 100 * statistics.median(shares), 97, "%"),
    ]
    print(claims.claims_table(judged))
    if options.json:
        claims.write(options.json, judged, {"starts": starts})
    return 0


def measure(checkouts: dict[str, Path], turns: int, seconds: float) -> dict[str, float]:
    """Return new divided by old, of the loops per second of each way: the medians over the turns of one start."""
    ratios: dict[str, list[float]] = {way: [] for way in WAYS}
    with ExitStack() as stack:
        running = {name: stack.enter_context(product_of(checkout)) for name, checkout in checkouts.items()}
        for turn in range(turns + 1):
            for way in WAYS:
                order = random.sample(sorted(running), k=2)
                loops = {name: loops_per_second(running[name], way, seconds) for name in order}
                if turn:  # the first one warms up
                    ratios[way].append(loops["new"] / loops["old"])
    return {way: round(statistics.median(of_way), 4) for way, of_way in ratios.items()}


@contextmanager
def product_of(checkout: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the product of a checkout, with a filled study. It ends with the block."""
    # -P: modules of this folder would otherwise hide apps of the same name.
    command = [str(checkout / ".venv/bin/python"), "-P", held.__file__]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    with subprocess.Popen(
        command,
        cwd=checkout,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        answer(process)
        yield process
        process.stdin.close()  # type: ignore[union-attr]  # it is a pipe


def loops_per_second(process: subprocess.Popen[str], way: str, seconds: float) -> float:
    """Drive a running product once."""
    print(json.dumps({"way": way, "seconds": seconds}), file=process.stdin, flush=True)
    return float(answer(process))


def answer(process: subprocess.Popen[str]) -> str:
    """Return the next line of a product. Raises RuntimeError if it ended."""
    line = process.stdout.readline()  # type: ignore[union-attr]  # it is a pipe
    if not line:
        raise RuntimeError(f"{process.args} ended with {process.wait()}.")
    return line


if __name__ == "__main__":
    sys.exit(main())
