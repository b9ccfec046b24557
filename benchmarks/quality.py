"""Reliability of people, estimated without right answers, against planted skill: also where an assumption is broken.

It needs no database. 30 people with accuracies from 0.66 to 0.89 answer pairs, three to a pair, as `simulation`
models them. For each number of answers a person, the estimate is compared with the planted accuracy, and with the
accuracy that the answers really reached. Then reviewers of known skill review lots of such answers, and the program
reports what each broken assumption costs rates and decisions.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np

from benchmarks import claims
from simulation import falls
from simulation.claims import estimated, rank_correlation
from simulation.people import BREAKS, broken, crowd
from simulation.truth import HELPFULNESS, plant
from simulation.work import work_through

PEOPLE, OVERLAP = 30, 3
FEW, MANY = 100, 1_000
#: Pairs whose answers are reviewed, in lots of `falls.ANSWERS_A_LOT` answers.
PAIRS_REVIEWED = 3_000
NOTHING = "nothing"
#: What must hold where nothing is broken: with many answers, and with few in comparison with known right answers.
WITH_MANY, OF_POSSIBLE = 0.9, 0.8


@dataclass(frozen=True, slots=True)
class Run:
    """Rank correlations, as means over seeds: of estimate and planted accuracy, of estimate and reached accuracy, and
    of reached and planted accuracy (`possible`). `lowest` is the least `planted` of all seeds. `agreement` is the share
    of equal answers of two people to a pair, and `error` the mean difference of estimate and reached accuracy.
    """

    broken: str
    each: int
    seeds: int
    planted: float
    lowest: float
    reached: float
    possible: float
    agreement: float
    error: float


def measure(what: str, each: int, seeds: Sequence[int]) -> Run:
    """Return what the estimate reaches with so many answers a person, where `what` is broken (or `NOTHING`)."""
    found = np.array([_once(what, each, seed) for seed in seeds])
    planted, reached, possible, agreement, error = found.mean(axis=0).round(3).tolist()
    lowest = float(found[:, 0].min().round(3))
    return Run(what, each, len(seeds), planted, lowest, reached, possible, agreement, error)


def _once(what: str, each: int, seed: int) -> tuple[float, ...]:
    people = broken(crowd(PEOPLE, seed), [] if what == NOTHING else [what], seed)
    world = plant(PEOPLE * each // OVERLAP, seed)
    table = work_through(world, people, seed, OVERLAP)
    right = table.right(world)[:, HELPFULNESS]
    reached = np.array([right[table.person == person.number].mean() for person in people])
    planted = np.array([person.accuracy for person in people])
    estimate = estimated(people, table, HELPFULNESS)
    assert estimate is not None
    chosen = table.sheet.choices[:, HELPFULNESS].reshape(-1, OVERLAP)
    same = np.mean([chosen[:, one] == chosen[:, other] for one, other in ((0, 1), (0, 2), (1, 2))])
    pairs = ((estimate, planted), (estimate, reached), (reached, planted))
    ranks = (rank_correlation(one, other) or 0.0 for one, other in pairs)
    return *ranks, float(same), float(np.abs(estimate - reached).mean())


def judge(runs: Sequence[Run]) -> list[claims.Claim]:
    """Return the claims about the runs in which nothing is broken."""
    few, many = (next(run for run in runs if run.broken == NOTHING and run.each == each) for each in (FEW, MANY))
    return [
        claims.at_least(f"rank correlation at {MANY:,} answers, mean of seeds", many.planted, WITH_MANY, ""),
        claims.at_least(f"rank correlation at {MANY:,} answers, lowest seed", many.lowest, WITH_MANY, ""),
        claims.at_least(f"of what known right answers reach, at {FEW}", few.planted / few.possible, OF_POSSIBLE, ""),
    ]


def summary_table(runs: Sequence[Run]) -> str:
    """Return a row for each run, with its fall against the run of the same size in which nothing is broken."""
    whole = {run.each: run for run in runs if run.broken == NOTHING}
    heads = ["broken", "answers", "planted", "fall", "reached", "fall", "possible", "agreement", "error"]
    rows = [
        [
            run.broken,
            run.each,
            f"{run.planted:.3f}",
            f"{whole[run.each].planted - run.planted:+.3f}",
            f"{run.reached:.3f}",
            f"{whole[run.each].reached - run.reached:+.3f}",
            f"{run.possible:.3f}",
            f"{run.agreement:.3f}",
            f"{run.error:.3f}",
        ]
        for run in runs
    ]
    return claims.table(heads, rows)


def reviews(seeds: Sequence[int]) -> dict[str, dict[str, float]]:
    """Return the mean figures of reviews over the seeds, with nothing broken and with each assumption broken."""
    names = [field.name for field in fields(falls.Figures)]
    found = {}
    for what in (NOTHING, *BREAKS):
        runs = [asdict(falls.figures([] if what == NOTHING else [what], seed, PAIRS_REVIEWED)) for seed in seeds]
        found[what] = {name: round(float(np.mean([run[name] for run in runs])), 3) for name in names}
    return found


def reviews_table(found: dict[str, dict[str, float]]) -> str:
    """Return a row for each broken assumption, and one with what perfect reviewers would reach."""
    names = ("found", "wrong", "coverage", "good", "bad")
    good, bad = falls.expected()
    rows = [[what, *(f"{figures[name]:.3f}" for name in names)] for what, figures in found.items()]
    return claims.table(
        ["broken", *names], [["operating curve", "1.000", "0.000", "", f"{good:.3f}", f"{bad:.3f}"], *rows]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="how many seeds (default: 10)")
    options = parser.parse_args(arguments)
    seeds = range(1, 3 if options.quick else options.seeds + 1)
    runs = [measure(what, each, seeds) for each in (FEW, MANY) for what in (NOTHING, *BREAKS)]
    reviewed = reviews(seeds)
    covered = claims.at_least("intervals that contain the planted defects", reviewed[NOTHING]["coverage"], 0.95, "")
    judged = [*judge(runs), covered]
    print(f"{summary_table(runs)}\n\n{reviews_table(reviewed)}\n\n{claims.claims_table(judged)}")
    if options.json:
        claims.write(options.json, judged, {"runs": [asdict(run) for run in runs], "reviews": reviewed})
    return 0


if __name__ == "__main__":
    sys.exit(main())
