"""The most that a look-here queue can find with one answer to a pair: a bound from the simulation's own parameters.

It needs no database. A classifier that is trained on many simulated answers, of which it is told the defects, ranks
answers that it has not seen. It knows only what a queue can know, so nothing that knows the same can rank much better:
annotators, sides, times, tags, and how the parts of an answer fit together. It is compared with random looks.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import claims
from benchmarks.looking import SHARES, TIMES, crowd, planted, times
from simulation.draws import any_of_last
from simulation.truth import HARMLESSNESS, HELPFULNESS, World, plant
from simulation.work import Table, work_through

#: Answers of the worlds on which the classifier learns, and of the one on which it is judged.
ANSWERS, WORLDS, QUICK = 60_000, 3, 6_000
#: Share of all answers that are careless, with which they are 30 % of the defects.
CARELESS = 0.07
PARTS = ("against_0", "against_1", "against_2", "against_3")
#: What each row of the table knows.
KNOWN = {
    "times": ("fast",),
    "times, people": ("fast", "person"),
    "times, people, sides": ("fast", "person", "left_helpful", "left_safer", "left_all"),
    "times, parts": ("fast", *PARTS),
    "times, people, sides, parts": ("fast", "person", "left_helpful", "left_safer", "left_all", *PARTS),
    "all that an answer says": (
        *("fast", "person", "left_helpful", "left_safer", "left_all", *PARTS),
        *("tagged_safer", "tagged_other", "tags", "critical", "overall_alike", "served"),
    ),
}


@dataclass(frozen=True, slots=True)
class Bound:
    """How many times the defects of random looks are among the first 5, 10 and 20 %, by who knows what."""

    knows: str
    found: tuple[float, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.looking_bound", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else ANSWERS
    learned = [study(size, seed) for seed in range(100, 100 + WORLDS)]
    judged = study(size, 7)
    bounds = [Bound(name, bound(learned, judged, columns)) for name, columns in KNOWN.items()]
    best = [
        claims.at_least(f"possible at {share:.0%}, 1 a pair", found, TIMES, "times the defects")
        for share, found in zip(SHARES, bounds[-1].found, strict=True)
    ]
    rows = [[one.knows, *(f"{found:.2f}" for found in one.found)] for one in bounds]
    print(f"{claims.table(['knows', *(f'at {share:.0%}' for share in SHARES)], rows)}\n\n{claims.claims_table(best)}")
    if options.json:
        claims.write(options.json, best, {"bounds": [asdict(one) for one in bounds]})
    return 0


def study(size: int, seed: int) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
    """Return what a queue can know of the valid answers of a study, by name, and which of them have a defect."""
    world = plant(size, seed)
    answers = work_through(world, crowd(CARELESS, 1), seed, 1)
    valid = ~answers.sheet.contradictory
    real = np.isin(np.arange(len(answers)), planted(world, answers))
    return {name: values[valid] for name, values in _columns(world, answers).items()}, real[valid]


def _columns(world: World, answers: Table) -> dict[str, NDArray[Any]]:
    rows, sheet = np.arange(len(answers)), answers.sheet
    helpful, safer = sheet.choices[:, HELPFULNESS], sheet.choices[:, HARMLESSNESS]
    left = sheet.choices == answers.left[:, None]
    tagged = any_of_last(sheet.tags)
    return {
        "person": answers.person,
        "fast": sheet.fast,
        **{f"against_{part}": sheet.choices[:, part] != helpful for part in range(4)},
        "overall_alike": helpful == safer,
        "tagged_safer": tagged[rows, safer],
        "tagged_other": tagged[rows, 1 - safer],
        "tags": sheet.tags.sum(axis=(1, 2)),
        "left_helpful": left[:, HELPFULNESS],
        "left_safer": left[:, HARMLESSNESS],
        "left_all": left.sum(axis=1),
        "critical": world.critical[answers.pair],
        "served": answers.served,
    }


def bound(learned: Sequence[Any], judged: Any, columns: Sequence[str]) -> tuple[float, ...]:
    """Return what a classifier finds that knows these columns."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(max_iter=200, learning_rate=0.08, random_state=0)
    model.fit(np.concatenate([table(one, columns) for one in learned]), np.concatenate([one[1] for one in learned]))
    score = model.predict_proba(table(judged, columns))[:, 1]
    hits = judged[1][np.lexsort((np.random.default_rng(0).random(len(score)), -score))]
    return tuple(times(hits, share) for share in SHARES)


def table(of: Any, columns: Sequence[str]) -> NDArray[Any]:
    """Return the columns as one table: (answers, columns)."""
    return np.column_stack([of[0][name].astype(float) for name in columns])


if __name__ == "__main__":
    sys.exit(main())
