"""Find out whether a change made serving slower: run `benchmarks.serving` of two checkouts in turn.

    python -m benchmarks.old_and_new OLD_CHECKOUT --rounds 7

Each checkout needs a `.venv` of its own. Other work on the machine affects both. So the result is the median over the
rounds of new divided by old, for the share of the bare loop and for loops per second.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import claims
from diptych.embedded.state import REPOSITORY

SERVING = ["--only", "usual", "--pairs", "10000", "--overlap", "1", "--repeats", "1"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.old_and_new", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument("old", type=Path, help="the checkout to compare with")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=6.0, help="length of each measurement")
    options = parser.parse_args(arguments)
    rounds = []
    for number in range(1 if options.quick else options.rounds):
        checkouts = {"old": options.old, "new": REPOSITORY}
        order = list(checkouts)[:: 1 if number % 2 else -1]  # the first one meets a cooler machine
        rounds.append({name: measure(checkouts[name], options.seconds) for name in order})
        print(f"{number + 1}: {rounds[-1]}", file=sys.stderr, flush=True)
    judged = [
        claims.at_least(
            f"{what}, new against old",
            statistics.median(100 * one["new"][what] / one["old"][what] for one in rounds),
            97,
            "%",
        )
        for what in ("share of the bare loop", "loops a second")
    ]
    print(claims.claims_table(judged))
    if options.json:
        claims.write(options.json, judged, {"rounds": rounds})
    return 0


def measure(checkout: Path, seconds: float) -> dict[str, float]:
    """Run the checkout's own benchmark. Raises CalledProcessError if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "serving.json"
        command = [str(checkout / ".venv/bin/python"), "-m", "benchmarks.serving", *SERVING]
        command += ["--seconds", str(seconds), "--json", str(report)]
        subprocess.run(command, cwd=checkout, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        details = {claim["name"]: claim["value"] for claim in json.loads(report.read_text())["claims"]}
    share = next(value for name, value in details.items() if name.startswith("share of the bare loop"))
    loops = next(value for name, value in details.items() if name.startswith("loops ("))
    return {"share of the bare loop": share, "loops a second": loops}


if __name__ == "__main__":
    sys.exit(main())
