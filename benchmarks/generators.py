"""Which way of ranking generators is best: plain Bradley–Terry, the same weighted by reliability, or one with skill.

It needs no database. Simulated people of different skill compare videos of many generators that differ little. One pair
in ten has three answers, the others have one, as in a study. Each way ranks the generators by helpfulness:

- plain: every answer counts as one comparison.
- weighted: the one-coin Dawid–Skene accuracy of each person, from the pairs with three answers, says how probable each
  video is as the better one. These probabilities are the counts.
- skill: every person has a skill of their own, estimated together with the generators by maximum likelihood (the model
  of Chen, Bennett, Collins-Thompson and Horvitz 2013, “Pairwise ranking aggregation in a crowdsourced setting”).

The truth is the order of the generators' mean quality over all their videos.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import kendalltau

from benchmarks import claims
from diptych.statistics.reliability import people_figures
from simulation import truth
from simulation.people import broken, crowd
from simulation.truth import HELPFULNESS, World
from simulation.work import Table, work_through

Numbers = NDArray[np.float64]
Index = NDArray[np.int64]

GENERATORS, PEOPLE = 12, 30
#: The generators' skills: so close that a few hundred answers do not order them.
SKILLS = np.linspace(0.5, 0.72, GENERATORS)
#: One pair in so many has three answers.
SAMPLED = 10
SIZES = (500, 2_000)
BREAKS = ("nothing", "random_clicks", "copying", "difficulty")
WAYS = ("plain", "weighted", "skill")
#: How much better a way has to rank (Kendall's tau) before it is worth its code.
WORTH = 0.02


@dataclass(frozen=True, slots=True)
class Run:
    """Kendall's tau of each way with the true order, means over the seeds. `error` is that of skill − weighted."""

    broken: str
    pairs: int
    plain: float
    weighted: float
    skill: float
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """One row for each answer: which generator won against which, by whom, and on which pair."""

    winner: Index
    loser: Index
    person: Index
    pair: Index
    first_won: Index


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generators", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument("--seeds", type=int, default=40, metavar="N", help="how many seeds (default: 40)")
    options = parser.parse_args(arguments)
    seeds = range(1, 4 if options.quick else options.seeds + 1)
    runs = [measure(what, pairs, seeds) for pairs in SIZES[: 1 if options.quick else None] for what in BREAKS]
    better = float(np.mean([run.skill - run.weighted for run in runs]))
    judged = [claims.at_least("Kendall's tau of skill above weighted, mean of all rows", better, WORTH, "")]
    print(f"{summary_table(runs)}\n\n{claims.claims_table(judged)}")
    if options.json:
        claims.write(options.json, judged, {"runs": [asdict(run) for run in runs]})
    return 0


def measure(what: str, pairs: int, seeds: Sequence[int]) -> Run:
    """Return how well each way ranks generators from so many pairs, where `what` is broken."""
    found = np.array([_once(what, pairs, seed) for seed in seeds])
    error = float((found[:, 2] - found[:, 1]).std(ddof=1) / np.sqrt(len(found)))
    return Run(what, pairs, *found.mean(axis=0).round(3).tolist(), round(error, 3))


def _once(what: str, pairs: int, seed: int) -> tuple[float, ...]:
    world, answers = _study(what, pairs, seed)
    rows = _comparisons(world, answers)
    strengths = (plain(rows), weighted(rows), with_skill(rows))
    return tuple(float(kendalltau(strength, SKILLS).statistic) for strength in strengths)


def _study(what: str, pairs: int, seed: int) -> tuple[World, Table]:
    """Return pairs of videos of many generators, and answers: three to each pair of the sample, one to the others."""
    usual = truth.GENERATORS, truth.SKILLS
    truth.GENERATORS, truth.SKILLS = tuple(f"generator-{n}" for n in range(GENERATORS)), SKILLS  # type: ignore[misc]
    try:
        world = truth.plant(pairs, seed)
    finally:
        truth.GENERATORS, truth.SKILLS = usual  # type: ignore[misc]
    people = broken(crowd(PEOPLE, seed), [] if what == "nothing" else [what], seed)
    answers = work_through(world, people, seed, 3)
    place = np.arange(len(answers)) % 3
    kept = (answers.pair % SAMPLED == 0) | (place == 0)
    generator = world.generator[answers.pair]
    return world, answers.at(np.flatnonzero(kept & (generator[:, 0] != generator[:, 1])))


def _comparisons(world: World, answers: Table) -> Comparisons:
    chosen = answers.sheet.choices[:, HELPFULNESS]
    generator = world.generator[answers.pair]
    rows = np.arange(len(answers))
    return Comparisons(generator[rows, chosen], generator[rows, 1 - chosen], answers.person, answers.pair, 1 - chosen)


# --- The three ways -----------------------------------------------------------------------------------------------


def fitted(winner: Index, loser: Index, weight: Numbers) -> Numbers:
    """Return Bradley–Terry strengths from weighted comparisons: (generators,). A weak prior keeps them finite."""

    def loss(strength: Numbers) -> tuple[float, Numbers]:
        difference = strength[winner] - strength[loser]
        slope = weight * (expit(difference) - 1)
        gradient = np.bincount(winner, slope, GENERATORS) - np.bincount(loser, slope, GENERATORS)
        value = -(weight * np.log(expit(difference))).sum() + 0.05 * strength @ strength
        return float(value), gradient + 0.1 * strength

    result: Numbers = minimize(loss, np.zeros(GENERATORS), jac=True, method="L-BFGS-B").x
    return result


def plain(rows: Comparisons) -> Numbers:
    """Return strengths where every answer counts as one comparison."""
    return fitted(rows.winner, rows.loser, np.ones(len(rows.winner)))


def accuracies(rows: Comparisons) -> Numbers:
    """Return everybody's Dawid–Skene accuracy from the pairs with several answers: (people,). Unknown people: 0.75."""
    found = people_figures(rows.pair, rows.person, rows.first_won, 2, both_orders=True)
    known = {} if not isinstance(found, dict) else {person: share for person, (share, _n) in found.items()}
    return np.array([known.get(person, 0.75) for person in range(PEOPLE)])


def weighted(rows: Comparisons) -> Numbers:
    """Return strengths where each pair counts by how probable its better video is, given who preferred it."""
    sure = np.clip(accuracies(rows), 0.02, 0.98)[rows.person]
    odds = np.log(sure / (1 - sure)) * np.where(rows.first_won == 1, 1, -1)
    pairs, first, place = np.unique(rows.pair, return_index=True, return_inverse=True)
    probable = expit(np.bincount(place, odds, len(pairs)))
    zero = np.where(rows.first_won == 1, rows.winner, rows.loser)[first]
    one = np.where(rows.first_won == 1, rows.loser, rows.winner)[first]
    return fitted(np.concatenate([zero, one]), np.concatenate([one, zero]), np.concatenate([probable, 1 - probable]))


def with_skill(rows: Comparisons) -> Numbers:
    """Return strengths estimated together with everybody's skill, the chance to say what the strengths say.

    A person's skill has the prior of `reliability`: as if three answers had been right and one wrong.
    """

    def loss(values: Numbers) -> tuple[float, Numbers]:
        strength, skill = values[:GENERATORS], expit(values[GENERATORS:])
        wins = expit(strength[rows.winner] - strength[rows.loser])
        mine = skill[rows.person]
        said = mine * wins + (1 - mine) * (1 - wins)
        by_strength = (2 * mine - 1) * wins * (1 - wins) / said
        by_skill = (2 * wins - 1) / said
        prior = 3 * np.log(skill) + np.log(1 - skill)
        of_strength = np.bincount(rows.winner, by_strength, GENERATORS) - np.bincount(
            rows.loser, by_strength, GENERATORS
        )
        of_skill = np.bincount(rows.person, by_skill, PEOPLE) * skill * (1 - skill) + 3 * (1 - skill) - skill
        value = -np.log(said).sum() - prior.sum() + 0.05 * strength @ strength
        return float(value), np.concatenate([-of_strength + 0.1 * strength, -of_skill])

    start = np.concatenate([plain(rows), np.full(PEOPLE, np.log(3.0))])
    result: Numbers = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x[:GENERATORS]
    return result


def summary_table(runs: Sequence[Run]) -> str:
    heads = ["broken", "pairs", *WAYS, "± skill − weighted"]
    return claims.table(
        heads,
        [[run.broken, run.pairs, *(f"{getattr(run, way):.3f}" for way in WAYS), f"{run.error:.3f}"] for run in runs],
    )


if __name__ == "__main__":
    sys.exit(main())
