"""How much each broken assumption costs: the same study with and without it, without a database. Needs numpy only.

People and reviewers both break it (`people.broken`, `reviewers.broken_staff`). Every run has as many planted defects,
so that only the reviews differ: good lots have just as many as a good lot may have when the sample is drawn, bad ones
just as many as make a lot bad.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np

from diptych.statistics.acceptance import Plan, plan
from diptych.statistics.rates import defects_between
from simulation.claims import estimated, rank_correlation
from simulation.draws import Flags, Index, any_of_last, uniform
from simulation.people import BREAKS, Person, broken, crowd
from simulation.reviewers import Reviewer, bar_for, broken_staff, called, confirmed, severity, staff
from simulation.truth import HELPFULNESS, World, plant
from simulation.work import Table, work_through

PEOPLE, REVIEWERS, OVERLAP = 30, 6, 3
ANSWERS_A_LOT = 150
_SAMPLE, _WHO = 2**47, 2**48


@dataclass(frozen=True, slots=True)
class Figures:
    """What a study shows, all as shares or correlations.

    right: of the answers on helpfulness. agreement: of two people on it. reliability: rank correlation of the estimated
    with the reached accuracy. found: of the planted defects that were judged, confirmed ones. wrong: of confirmed
    defects, those that are none. coverage: of the intervals *after*. good, bad: of good and bad lots, accepted ones.
    """

    right: float
    agreement: float
    reliability: float
    found: float
    wrong: float
    coverage: float
    good: float
    bad: float


def expected() -> tuple[float, float]:
    """Return the shares of good and of bad lots that the operating curve accepts."""
    chosen = plan_of_lot()
    terms = chosen.terms
    good, bad = terms.good_defects(ANSWERS_A_LOT), terms.bad_defects(ANSWERS_A_LOT)
    return chosen.acceptance(good), chosen.acceptance(bad)


def plan_of_lot() -> Plan:
    return plan(ANSWERS_A_LOT)


def falls(seed: int, pairs: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return for each assumption the figures with it broken, and how much lower they are than without."""
    whole = asdict(figures((), seed, pairs))
    told = {"nothing": {"figures": whole}}
    for name in BREAKS:
        found = asdict(figures([name], seed, pairs))
        told[name] = {"figures": found, "fall": {key: round(whole[key] - found[key], 4) for key in whole}}
    return told


def figures(names: Collection[str], seed: int, pairs: int) -> Figures:
    """Return what a study of so many pairs shows, with these assumptions broken."""
    world = plant(pairs, seed)
    people = broken(crowd(PEOPLE, seed), names, seed)
    reviewers = broken_staff(staff(REVIEWERS, seed), names)
    table = work_through(world, people, seed, OVERLAP)
    right = table.right(world)[:, HELPFULNESS]
    chosen = table.sheet.choices[:, HELPFULNESS].reshape(-1, OVERLAP)
    same = np.mean([chosen[:, one] == chosen[:, other] for one, other in ((0, 1), (0, 2), (1, 2))])
    shares = (
        float(right.mean()),
        float(same),
        _reliability(people, table, right),
        *_reviewed(world, reviewers, seed, table),
    )
    return Figures(*(round(share, 4) for share in shares))


def _reliability(people: Sequence[Person], table: Table, right: Flags) -> float:
    reached = np.array([right[table.person == person.number].mean() for person in people])
    estimate = estimated(people, table, HELPFULNESS)
    return (rank_correlation(estimate, reached) or 0.0) if estimate is not None else 0.0


def _reviewed(world: World, reviewers: Sequence[Reviewer], seed: int, table: Table) -> tuple[float, ...]:
    """Return found, wrong, coverage, and the shares of good and bad lots accepted."""
    clear = severity(world, table.pair, table.sheet)
    lots = len(table) // ANSWERS_A_LOT
    lot_of = np.arange(len(table)) // ANSWERS_A_LOT
    terms = plan_of_lot().terms
    wanted = (terms.good_defects(ANSWERS_A_LOT), terms.bad_defects(ANSWERS_A_LOT))
    bars = np.array(
        [bar_for(clear[lot_of == lot].max(axis=1), wanted[lot % 2], at_most=lot % 2 == 0) for lot in range(lots)]
    )
    kept = np.flatnonzero(lot_of < lots)
    real = clear[kept] >= bars[lot_of[kept]][:, None]
    said = _settled(world, reviewers, seed, table.at(kept), clear[kept], real)
    sample = _sampled(seed, lot_of[kept])
    true, found = any_of_last(real), any_of_last(said)
    hits = [
        _lot(int(true[mine].sum()), int((found & sample)[mine].sum()))
        for mine in (lot_of[kept] == lot for lot in range(lots))
    ]
    covered, accepted = np.array([hit[0] for hit in hits]), np.array([hit[1] for hit in hits])
    confirmed_real = int((true & found).sum())
    return (
        confirmed_real / max(1, int(true.sum())),
        1 - confirmed_real / max(1, int(found.sum())),
        float(covered.mean()),
        float(accepted[0::2].mean()),
        float(accepted[1::2].mean()),
    )


def _settled(
    world: World, reviewers: Sequence[Reviewer], seed: int, table: Table, clear: np.ndarray, real: Flags
) -> Flags:
    """Return in which rows somebody found a defect and another person confirmed it: (answers, 3)."""
    rows, people = np.arange(len(table)), len(reviewers)
    first = (uniform(seed, _WHO, rows, 0) * people).astype(np.int64)
    second = (first + 1 + (uniform(seed, _WHO, rows, 1) * (people - 1)).astype(np.int64)) % people

    def call(one: Reviewer, rows: Index, mine: Table) -> Flags:
        return called(world, one, seed, mine, clear[rows], real[rows])

    def agree(one: Reviewer, rows: Index, mine: Table) -> Flags:
        return confirmed(world, one, seed, mine, clear[rows], real[rows])

    result: Flags = _each(reviewers, first, table, call) & _each(reviewers, second, table, agree)
    return result


def _each(
    reviewers: Sequence[Reviewer], who: Index, table: Table, judge: Callable[[Reviewer, Index, Table], Flags]
) -> Flags:
    """Return what each reviewer says about the answers that they get, in order: (answers, 3)."""
    said = np.zeros((len(table), 3), dtype=np.bool_)
    for place, one in enumerate(reviewers):
        rows = np.flatnonzero(who == place)
        mine = table.at(rows)
        seen = Table(mine.pair, mine.person, mine.left, np.arange(len(rows)), mine.sheet)
        said[rows] = judge(one, rows, seen)
    return said


def _sampled(seed: int, lot_of: Index) -> Flags:
    """Return which answers are in the deciding sample of their lot."""
    luck = uniform(seed, _SAMPLE, np.arange(len(lot_of)), 0)
    order = np.lexsort((luck, lot_of))
    sampled = np.zeros(len(lot_of), dtype=np.bool_)
    sampled[order] = np.arange(len(lot_of)) % ANSWERS_A_LOT < plan_of_lot().sample
    return sampled


@lru_cache(maxsize=1024)
def _lot(defects: int, found: int) -> tuple[bool, bool]:
    """Return whether the interval contains the planted defects, and whether the plan accepts the lot."""
    chosen = plan_of_lot()
    low, high = defects_between(ANSWERS_A_LOT, chosen.sample, found)
    return low <= defects <= high, found <= chosen.accept


def summary(told: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """Return a line for each broken assumption, with what is lower or higher by at least 0.02."""
    lines = ["what each broken assumption costs, in a simulation without a database:"]
    for name, found in told.items():
        if "fall" not in found:
            continue
        changed = [f"{key} {-fall:+.2f}" for key, fall in found["fall"].items() if abs(fall) >= 0.02]
        lines.append(f"  {name}: {' · '.join(changed) or 'nothing'}")
    return lines
